// SPDX-License-Identifier: BSD-3-Clause
// Models as ONNX, and beside each its inputs and what inlay makes of them: a line of name and numbers for
// each input, and one for `y`.
#pragma once

#include <inlay/inlay.hpp>
#include <inlay/io/onnx.hpp>

#include <cstdio>
#include <memory>

using namespace inlay;

constexpr int B = 5;

class Lines {
public:
    explicit Lines(std::string const& path) : out_(std::fopen(path.c_str(), "w")) {}
    Lines(Lines const&) = delete;
    ~Lines() { std::fclose(out_); }
    void begin(std::string const& name) {
        std::fprintf(out_, "%s%s", &"\n"[first_], name.c_str()), first_ = 0;
    }
    void put(double value) { std::fprintf(out_, " %.9g", value); }

private:
    std::FILE* out_;
    int first_ = 1;
};

/// Values at which weights of ones and biases of zeros would hide a mistake are moved away.
template <class M> void move_away(Network<M>& net) {
    int moved = 0;
    for (auto const& t : detail::named_tensors<M>(net.params()))
        for (int r = 0; r < t.ref.rows; ++r)
            for (int c = 0; c < t.ref.width; ++c, ++moved)
                if (t.name.ends_with("running_var")) t.ref(r, c) = 0.5F + 0.1F * float(c);
                else t.ref(r, c) += 0.1F * float(moved % 7) - 0.3F;
}
template <class Input> auto rows_of(Lines& lines) {
    if constexpr (is_record<Input>) {
        auto rows = Rows<Input>::random(B, Seed{5}).row;
        detail::each<std::size_t(Input::fields)>([&](auto j) {
            using Field = typename Input::template field<j>;
            std::string const name = std::string("x.") + Field::name.text;
            auto const line = [&](std::string const& of, auto const& put) {
                lines.begin(of);
                for (auto const& row : rows) put(get<j>(row));
            };
            if constexpr (detail::is_list_field<Field>) {
                for (std::size_t b = 0; b < B; ++b) {
                    auto& v = get<j>(rows[b]);
                    v.count = b == 0 ? 0 : b == 1 ? Field::capacity : v.count;
                    for (int k = 0; k < v.count; ++k)
                        v.id[k] = std::int32_t(3 * b + 7 * std::size_t(k)) % Input::template vocabulary<j>;
                    if constexpr (Field::weighted)
                        for (int k = 0; k < v.count; ++k) v.weight[k] = 0.25F + 0.5F * float(k % 3);
                }
                line(name, [&](auto const& v) {
                    for (int k = 0; k < Field::capacity; ++k) lines.put(k < v.count ? v.id[k] : -1);
                });
                if constexpr (Field::weighted)
                    line(name + ".weight", [&](auto const& v) {
                        for (int k = 0; k < Field::capacity; ++k)
                            lines.put(k < v.count ? double(v.weight[k]) : 9);
                    });
            } else if constexpr (Field::kind == FieldKind::numeric) {
                line(name, [&](auto const& v) { lines.put(double(v.value)); });
                line(name + ".id", [&](auto const& v) { lines.put(v.id); });
                if constexpr (Field::learned)
                    line(name + ".part", [&](auto const& v) { lines.put(double(v.part)); });
            } else line(name, [&](auto const& v) { lines.put(v.id); });
        });
        return rows;
    } else {
        std::vector<std::conditional_t<is_ids<Input>, std::int32_t, float>> x;
        if constexpr (is_ids<Input>)
            for (int i = 0; i < B * Input::rows; ++i) x.push_back((i * i + 3 * i) % Input::vocabulary);
        else
            for (int r = 0; r < B * Input::rows; ++r)
                for (int c = 0; c < Input::width; ++c) x.push_back(0.3F * float((7 * r + 5 * c) % 13) - 1.7F);
        lines.begin("x");
        for (auto const value : x) lines.put(double(value));
        return x;
    }
}
template <class M> void write(std::string const& folder, char const* name) {
    using Output = typename M::Output;
    Network<M> net(Seed{11});
    move_away(net);
    save_onnx(net, folder + "/" + name + ".onnx");
    Lines lines(folder + "/" + name + ".txt");
    auto const x = rows_of<typename M::Input>(lines);
    auto const ws = std::make_unique<Workspace<M, Batch<B>>>();
    auto const y = net.infer(x, *ws);
    lines.begin("y");
    for (int b = 0; b < B; ++b)
        for (int t = 0; t < Output::rows; ++t)
            for (int c = 0; c < Output::width; ++c) lines.put(double(y(b, t)[c]));
}
