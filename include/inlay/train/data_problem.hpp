// SPDX-License-Identifier: BSD-3-Clause
// Whether a data set goes with a model.
#pragma once

#include <inlay/model/model.hpp>
#include <inlay/train/carried_states.hpp>

namespace inlay::inline INLAY_ISA {

/// Who asks, and what is wrong, in the words that are said where it does not.
struct fit_of_a_trainer;
struct evaluate_of_a_network;
template <class Block> struct a_block_without_a_streaming_form;
struct a_model_that_keeps_nothing_from_token_to_token;
struct a_state_to_carry;

namespace detail {
template <class Data> struct BriefOf<Rows<Data>> {
    using type = Rows<Brief<Data>>;
};
template <class Who, class M, class Data> struct DataProblemOf {
    static consteval auto find() {
        using Wanted = Rows<typename M::Input>;
        if constexpr (!std::is_same_v<Data, Wanted>)
            return Tag<Misfit<Who, Place<>, Got<Brief<Data>>, Wants<Brief<Wanted>>>>{};
        else return Tag<Fits>{};
    }
};
/// Streams are for training, and for a model that has something to carry.
template <class M, class Data> struct DataProblemOf<fit_of_a_trainer, M, Streams<Data>> {
    static consteval auto find() {
        using Blocker = typename M::Blocker;
        if constexpr (!std::is_same_v<Data, Rows<typename M::Input>>)
            return DataProblemOf<fit_of_a_trainer, M, Data>::find();
        else if constexpr (!streams_through<Blocker>{})
            return Tag<Misfit<fit_of_a_trainer, Place<>, Got<a_block_without_a_streaming_form<Blocker>>,
                              Wants<a_state_to_carry>>>{};
        else if constexpr (!has_a_state<M>)
            return Tag<Misfit<fit_of_a_trainer, Place<>, Got<a_model_that_keeps_nothing_from_token_to_token>,
                              Wants<a_state_to_carry>>>{};
        else return Tag<Fits>{};
    }
};
/// Fits, or why a model cannot be trained, or judged, on a data set.
template <class Who, class M, class Data>
using DataProblem = typename decltype(DataProblemOf<Who, M, Data>::find())::type;
} // namespace detail

} // namespace inlay::inline INLAY_ISA
