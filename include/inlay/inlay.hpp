// SPDX-License-Identifier: BSD-3-Clause
// Everything that a model is made of and runs on. Files: inlay/data.hpp; training: inlay/train.hpp.
#pragma once

#include <inlay/blocks/activation.hpp>
#include <inlay/blocks/batch_norm.hpp>
#include <inlay/blocks/conv.hpp>
#include <inlay/blocks/cross.hpp>
#include <inlay/blocks/dense.hpp>
#include <inlay/blocks/document.hpp>
#include <inlay/blocks/dropout.hpp>
#include <inlay/blocks/embed.hpp>
#include <inlay/blocks/esmm.hpp>
#include <inlay/blocks/feedback_memory.hpp>
#include <inlay/blocks/fixed_rows.hpp>
#include <inlay/blocks/flatten.hpp>
#include <inlay/blocks/hstu.hpp>
#include <inlay/blocks/linear_attn.hpp>
#include <inlay/blocks/memory.hpp>
#include <inlay/blocks/norm.hpp>
#include <inlay/blocks/pool.hpp>
#include <inlay/blocks/position.hpp>
#include <inlay/blocks/prelu.hpp>
#include <inlay/blocks/recurrent.hpp>
#include <inlay/blocks/senet.hpp>
#include <inlay/blocks/softmax_attn.hpp>
#include <inlay/blocks/sparse_attn.hpp>
#include <inlay/blocks/token_shift.hpp>
#include <inlay/combine/embed_each.hpp>
#include <inlay/combine/fixed_stream.hpp>
#include <inlay/combine/gate.hpp>
#include <inlay/combine/gated_cross.hpp>
#include <inlay/combine/interleave.hpp>
#include <inlay/combine/keep.hpp>
#include <inlay/combine/memory_as.hpp>
#include <inlay/combine/memory_as_context.hpp>
#include <inlay/combine/mlp.hpp>
#include <inlay/combine/multi_gate.hpp>
#include <inlay/combine/named.hpp>
#include <inlay/combine/parallel.hpp>
#include <inlay/combine/per_row.hpp>
#include <inlay/combine/persistent.hpp>
#include <inlay/combine/product.hpp>
#include <inlay/combine/repeat.hpp>
#include <inlay/combine/residual.hpp>
#include <inlay/combine/select.hpp>
#include <inlay/combine/stack.hpp>
#include <inlay/combine/target_attn.hpp>
#include <inlay/combine/target_first.hpp>
#include <inlay/combine/tied.hpp>
#include <inlay/model/model.hpp>

// What reaches Model through others comes after it, or a message about blocks tells the whole way there.
#include <inlay/model/generate.hpp>
#include <inlay/model/network.hpp>
#include <inlay/model/snapshot.hpp>
#include <inlay/model/store.hpp>
#include <inlay/model/summary.hpp>
