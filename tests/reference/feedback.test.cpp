// SPDX-License-Identifier: BSD-3-Clause
// The reference of feedback memory: without rows it is block-sliding attention; what a block learns, only
// later ones know.
#include "feedback.hpp"
#include "checks.hpp"
#include "mlp.hpp"
#include "norm.hpp"

using namespace reference;

namespace {

Parameters layer(std::uint32_t key) {
    return parameters({{"norm.weight", times(.2, numbers(1, 6, key), 1)},
                       {"attn.q.weight", numbers(8, 6, key + 1)},
                       {"attn.k.weight", numbers(4, 6, key + 2)},
                       {"attn.v.weight", numbers(4, 6, key + 3)},
                       {"attn.o.weight", numbers(6, 8, key + 4)},
                       {"ff_norm.weight", times(.2, numbers(1, 6, key + 5), 1)},
                       {"ff.gate.weight", numbers(5, 6, key + 6)},
                       {"ff.up.weight", numbers(5, 6, key + 7)},
                       {"ff.down.weight", numbers(6, 5, key + 8)}});
}
Feedback const small_blocks{.heads = 2, .kv_heads = 1, .rope = {100}, .block = 3, .segments = 1};

// The same layer out of other references.
Sequence sliding(Parameters const& p, Sequence const& x, Mask const& mask) {
    Attention const a{.heads = 2, .kv_heads = 1, .mask = mask, .rope = {100}};
    Sequence const y = plus(x, attention(a)(p.child("attn"), rms_norm(p.child("norm"), x).value).value);
    return plus(y, swiglu(p.child("ff"), rms_norm(p.child("ff_norm"), y).value).value);
}

Sequence output(Feedback const& f, Parameters const& p, Sequence const& x, Sequence* memory = nullptr) {
    Rows rows = memory ? exactly(*memory) : Rows();
    Rows const y = with_feedback(f, p, exactly(x), rows);
    if (memory) *memory = result_of(rows).value;
    return result_of(y).value;
}

double difference(Sequence const& a, Sequence const& b, std::size_t row) {
    double most = 0;
    for (std::size_t i = 0; i < a[row].size(); ++i) most = std::fmax(most, std::abs(a[row][i] - b[row][i]));
    return most;
}

} // namespace

TEST_CASE("feedback: without rows it is block-sliding attention, with one block causal attention") {
    Parameters const p = layer(70);
    Sequence const x = numbers(8, 6, 90);
    check_equal(output(small_blocks, p, x), sliding(p, x, {.block = 3, .segments = 1}));
    Feedback one = small_blocks;
    one.block = 8;
    check_equal(output(one, p, x), sliding(p, x, {}));
}

TEST_CASE("feedback: a block learns what only later blocks know") {
    Parameters const p = layer(70);
    Sequence const x = numbers(9, 6, 90), start = numbers(2, 6, 91);
    Feedback f = small_blocks;
    f.segments = 0;
    Sequence memory = start, after = start;
    Sequence const y = output(f, p, x, &memory);
    Sequence changed = x;
    changed[2][1] += .5; // the last of the first block
    Sequence const z = output(f, p, changed, &after);
    for (std::size_t t : {0U, 1U}) CHECK(difference(y, z, t) == 0);
    for (std::size_t t = 2; t < 9; ++t)
        CHECK(difference(y, z, t) > 1e-9); // through the memory, also past a block
    CHECK(difference(memory, after, 0) > 1e-9);

    // an unfinished block leaves it as it was
    Sequence at_eight = start, at_six = start;
    output(f, p, rows_between(x, 0, 8), &at_eight);
    output(f, p, rows_between(x, 0, 6), &at_six);
    check_equal(at_eight, at_six, 0);

    // what the first block makes of F is attention of F over F and the block, without a residual
    Sequence both = start;
    both.insert(both.end(), x.begin(), x.begin() + 3);
    Sequence of_first = start;
    f.rope = {};
    output(f, p, rows_between(x, 0, 3), &of_first);
    Attention const all{.heads = 2, .kv_heads = 1, .mask = {.sees = Sees::all}};
    Sequence const a =
        rows_between(attention(all)(p.child("attn"), rms_norm(p.child("norm"), both).value).value, 0, 2);
    check_equal(of_first, plus(a, swiglu(p.child("ff"), rms_norm(p.child("ff_norm"), a).value).value));

    // and the second block adds to it
    Sequence of_second = start, block = rows_between(x, 3, 6);
    output(f, p, rows_between(x, 0, 6), &of_second);
    block.insert(block.begin(), of_first.begin(), of_first.end());
    Sequence const b = plus(
        of_first,
        rows_between(attention(all)(p.child("attn"), rms_norm(p.child("norm"), block).value).value, 0, 2));
    check_equal(of_second, plus(b, swiglu(p.child("ff"), rms_norm(p.child("ff_norm"), b).value).value));
}

TEST_CASE("feedback: rows of F ask from the end of the block that they learn") {
    Parameters const p = layer(70), attn = p.child("attn");
    Sequence const x = numbers(3, 6, 90), start = numbers(2, 6, 91);
    Sequence memory = start, all = start;
    output(small_blocks, p, x, &memory);
    all.insert(all.end(), x.begin(), x.end());
    Sequence const n = rms_norm(p.child("norm"), all).value;
    Rows const q = linear(attn.child("q"), exactly(n)), k = linear(attn.child("k"), exactly(n)),
               v = linear(attn.child("v"), exactly(n));
    Sequence a;
    for (std::size_t r = 0; r < 2; ++r) {
        Row o;
        for (std::size_t h = 0; h < 2; ++h) {
            Row z; // F stands at -2 and -1, the block at 0, 1, 2; F asks from 1 and 2
            for (std::size_t j = 0; j < 5; ++j)
                z.push_back(
                    dot(rotated({100}, part(q[r], 4 * h, 4), 1 + int(r)), rotated({100}, k[j], int(j) - 2)) *
                    0.5);
            Row const mixed = weighted_sum(softmax(z), v, 4);
            o.insert(o.end(), mixed.begin(), mixed.end());
        }
        a.push_back(result_of({linear(attn.child("o"), o)}).value[0]);
    }
    check_equal(memory, plus(a, swiglu(p.child("ff"), rms_norm(p.child("ff_norm"), a).value).value));
}

TEST_CASE("feedback: places are relative, and a stack gives each layer its own memory") {
    Parameters p;
    for (auto const& [name, tensor] : layer(70).by_name) p.by_name["0." + name] = tensor;
    for (auto const& [name, tensor] : layer(80).by_name) p.by_name["1." + name] = tensor;
    Sequence const x = numbers(8, 6, 90), start = numbers(2, 6, 91);
    p.by_name["fam"] = matrix_of(start);

    // the first block sees F as if its rows stood before it
    Sequence joint = start, memory = start;
    joint.insert(joint.end(), x.begin(), x.begin() + 3);
    Sequence const behind = rows_between(sliding(p.child("0"), joint, {}), 2, 5);
    check_equal(rows_between(output(small_blocks, p.child("0"), x, &memory), 0, 3), behind);

    Sequence first = start;
    Sequence const y = output(small_blocks, p.child("0"), x, &first);
    Sequence second = sliding(p.child("0"), start, {.sees = Sees::all});
    check_equal(feedback_stack(small_blocks, 2)(p, x).value, output(small_blocks, p.child("1"), y, &second));
    check_equal(feedback_stack(small_blocks, 2)(p, rows_between(x, 0, 5)).value,
                rows_between(feedback_stack(small_blocks, 2)(p, x).value, 0, 5), 0);
}
