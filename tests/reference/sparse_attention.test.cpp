// SPDX-License-Identifier: BSD-3-Clause
// The references of sparse attention against full attention, and against numbers computed in numpy from the
// same waves.
#include "sparse_attention.hpp"
#include "checks.hpp"
#include "selection_prefill.hpp"

using namespace reference;

namespace {

Attention const two{.heads = 2, .kv_heads = 1};
Parameters const waves =
    with(giving(wave(9, 8, 1), wave(9, 4, 2), wave(9, 3, 3)), {{"o.weight", identity(6)}});

Sequence output(Selector const& select, Attention const& a = two) {
    return sparse_attention(a, select)(waves, identity(9)).value;
}

std::string drawing(Pattern const& p) {
    std::string rows;
    for (int i = 0; i < 8; ++i) {
        for (int j = 0; j <= i; ++j) rows += in_pattern(p, 0, i, j) ? 'x' : '.';
        rows += ' ';
    }
    return rows;
}

} // namespace

TEST_CASE("sparse: the best, and of equals the earlier") {
    CHECK(best({1, 3, 2, 3}, 2) == std::vector<bool>{false, true, false, true});
    CHECK(best({3, 3, 3}, 2) == std::vector<bool>{true, true, false});
    CHECK(best({never, 1, never}, 2) == std::vector<bool>{false, true, false});
    CHECK(best({}, 2).empty());
}

TEST_CASE("sparse: patterns") {
    CHECK(drawing({.local = 2}) == "x xx .xx ..xx ...xx ....xx .....xx ......xx ");
    CHECK(drawing({.strided = 3}) == "x xx xxx xxxx .xxxx ..xxxx x..xxxx .x..xxxx ");
    CHECK(drawing({.fixed = 3, .columns = 1}) == "x xx xxx ..xx ..xxx ..xxxx ..x..xx ..x..xxx ");
    CHECK(drawing({.local = 1, .global = 2}) == "x xx xxx xx.x xx..x xx...x xx....x xx.....x ");
    CHECK(drawing({.dilated = 3, .dilation = 2}) == "x .x x.x .x.x x.x.x .x.x.x ..x.x.x ...x.x.x ");
    CHECK(drawing({.block = 2, .near_blocks = 2, .first_blocks = 1}) ==
          "x xx xxx xxxx xxxxx xxxxxx xx..xxx xx..xxxx ");
    CHECK(drawing({.block = 2, .near_blocks = 1, .random_blocks = [](int, int b) {
                       return std::vector<int>{b - 2};
                   }}) == "x xx ..x ..xx xx..x xx..xx ..xx..x ..xx..xx ");
}

TEST_CASE("sparse: a full budget is attention") {
    Sequence const full = attention(two)(waves, identity(9)).value;
    for (Selector const& all :
         {pattern({.local = 9}), pattern({.global = 9}), pattern({.strided = 1}), top_tokens(9),
          top_blocks(5, 2), top_blocks(1, 9), quest(3, 3), quest(3, 3, true), vertical_slash({.columns = 9}),
          vertical_slash({.diagonals = 9}), flex_prefill(2, 0, 9), mean_blocks(5, 2),
          snap_kv({.prompt = 6, .capacity = 6}), snap_kv({.prompt = 6, .capacity = 6, .adaptive = true})})
        check_equal(output(all), full, 0);
    // gates: what is not selected is shut
    Sequence shut(6, std::vector<double>(9, -800));
    shut[1] = shut[4] = std::vector<double>(9, 800);
    check_equal(nsa({2, 5, 1}, two)(with(waves, {{"nsa_gate.weight", shut}}), identity(9)).value, full);
    std::swap(shut[1], shut[2]), std::swap(shut[4], shut[5]);
    Attention narrow = two;
    narrow.mask.window = 3;
    check_equal(nsa({2, 1, 3}, two)(with(waves, {{"nsa_gate.weight", shut}}), identity(9)).value,
                attention(narrow)(waves, identity(9)).value);
}

TEST_CASE("sparse: a local pattern is a window, one token its own value") {
    Attention windowed = two;
    windowed.mask.window = 4;
    check_equal(output(pattern({.local = 4})), attention(windowed)(waves, identity(9)).value, 0);
    check_equal(output(pattern({.local = 1})), beside(wave(9, 3, 3), wave(9, 3, 3)));
    check_equal(output([](detail::Attending const& a, int) {
                    return chosen_where(a.size(), [](int, int) { return false; });
                }),
                Sequence(9, std::vector<double>(6)));
}

TEST_CASE("sparse: selections as others compute them") {
    check_equal(output(top_tokens(3)),
                {{0.1411200081, -0.9258146823, 0.7936678638, 0.1411200081, -0.9258146823, 0.7936678638},
                 {-0.4907022933, 0.0630656342, 0.0459624380, -0.2311831143, -0.3431140897, 0.3530802746},
                 {-0.5074632284, 0.1143351378, 0.1331370035, -0.5930152758, 0.2481165775, 0.0313888613},
                 {-0.2786714693, -0.0251518933, -0.0165190715, -0.4680690033, 0.0471047597, 0.1559345547},
                 {0.4860230431, -0.4960413729, 0.2265861813, 0.3665077059, -0.0973419518, -0.0048437238},
                 {0.0246038590, 0.5940216070, 0.0180442662, 0.0037123000, -0.4873871267, 0.3763091220},
                 {-0.1278737601, 0.0769890393, 0.7174768784, -0.1328252457, 0.0663825239, 0.7064494078},
                 {-0.2244041105, -0.1040992822, -0.2713887109, 0.1105385204, -0.0815848619, 0.8048942882},
                 {0.3127842943, -0.0530302674, 0.2448633914, -0.1234708613, -0.1789071840, 0.4978602683}},
                1e-9);
    check_equal(output(top_blocks(2, 2)),
                {{0.1411200081, -0.9258146823, 0.7936678638, 0.1411200081, -0.9258146823, 0.7936678638},
                 {-0.4907022933, 0.0630656342, 0.0459624380, -0.2311831143, -0.3431140897, 0.3530802746},
                 {-0.5074632284, 0.1143351378, 0.1331370035, -0.5930152758, 0.2481165775, 0.0313888613},
                 {-0.2493419320, -0.0880784279, 0.0400861939, -0.3510642147, -0.0693576165, 0.1828578430},
                 {0.2290931959, -0.1726561793, 0.0716182214, 0.3503660879, -0.0495711917, -0.0750373905},
                 {0.0453306453, 0.3236614698, 0.1560181412, 0.1758237570, -0.0277950070, 0.0644082704},
                 {0.0062829661, 0.2841685723, 0.2156539286, 0.0053877332, 0.2617429063, 0.1686761046},
                 {-0.4540107773, -0.3462499806, 0.0374998816, -0.1103822112, 0.3210586349, 0.4730198194},
                 {0.3070292844, -0.0508681696, -0.0002245071, 0.2567841263, -0.2077990618, 0.0875133166}},
                1e-9);
    check_equal(output(quest(1, 3)),
                {{0.1411200081, -0.9258146823, 0.7936678638, 0.1411200081, -0.9258146823, 0.7936678638},
                 {-0.4907022933, 0.0630656342, 0.0459624380, -0.2311831143, -0.3431140897, 0.3530802746},
                 {-0.5074632284, 0.1143351378, 0.1331370035, -0.5930152758, 0.2481165775, 0.0313888613},
                 {-0.2493419320, -0.0880784279, 0.0400861939, -0.3510642147, -0.0693576165, 0.1828578430},
                 {0.1592525642, -0.2342964706, 0.1190823089, 0.2487841150, -0.0992582272, -0.0129883627},
                 {0.0352778933, 0.1697533264, 0.1709922883, 0.0002926666, -0.0709005962, 0.1137731689},
                 {-0.4881693448, -0.2482616920, 0.0081939190, -0.4995838161, -0.2431150175, -0.0083938407},
                 {-0.6001477834, -0.1624058821, 0.0180718564, 0.0140409826, 0.0834173343, 0.4592413574},
                 {-0.3351840487, 0.2039750835, -0.0791255666, -0.3981693028, 0.0794397732, 0.1021751798}},
                1e-9);
    check_equal(output(quest(1, 3, true)),
                {{0.1411200081, -0.9258146823, 0.7936678638, 0.1411200081, -0.9258146823, 0.7936678638},
                 {-0.4907022933, 0.0630656342, 0.0459624380, -0.2311831143, -0.3431140897, 0.3530802746},
                 {-0.5074632284, 0.1143351378, 0.1331370035, -0.5930152758, 0.2481165775, 0.0313888613},
                 {-0.2493419320, -0.0880784279, 0.0400861939, -0.3510642147, -0.0693576165, 0.1828578430},
                 {0.1592525642, -0.2342964706, 0.1190823089, 0.2487841150, -0.0992582272, -0.0129883627},
                 {0.0352778933, 0.1697533264, 0.1709922883, 0.0002926666, -0.0709005962, 0.1137731689},
                 {-0.4881693448, -0.2482616920, 0.0081939190, -0.4995838161, -0.2431150175, -0.0083938407},
                 {-0.6001477834, -0.1624058821, 0.0180718564, -0.5241065840, -0.0814980767, 0.1037515105},
                 {-0.3351840487, 0.2039750835, -0.0791255666, -0.3981693028, 0.0794397732, 0.1021751798}},
                1e-9);
    check_equal(
        nsa({2, 4, 2}, two)(with(waves, {{"nsa_gate.weight", transposed(wave(9, 6, 4))}}), identity(9)).value,
        {{0.1656511943, -1.0867509855, 0.9316328091, 0.1660644717, -1.0894622828, 0.9339571075},
         {-0.6057016869, 0.0329079071, 0.0966816052, -0.4924531723, -0.3913717735, 0.4503015845},
         {-0.8705287153, 0.2452656841, 0.1214462105, -0.7431658557, 0.2749845078, 0.0471891972},
         {-0.1685897129, -0.3983504341, 0.2546691390, -0.4246586001, -0.1679486945, 0.2503466439},
         {0.4132838489, -0.3471802541, 0.0451784935, 0.6076472069, 0.0219718487, -0.2854565446},
         {0.2521016132, 0.4214889226, 0.2256301216, 0.3838331362, 0.2538874485, 0.0593167520},
         {-0.1069226151, 0.1001852957, 0.3059371601, -0.1195314648, 0.0849345526, 0.2901459175},
         {-0.8515200020, -0.4489915229, -0.0215666182, -0.3183794538, -0.0615470954, 0.2294499213},
         {-0.1871639481, 0.0098200111, 0.1257851802, -0.3306788420, 0.0684866086, 0.4377454245}},
        1e-9);
    check_equal(
        nsa({2, 3, 2}, two)(with(waves, {{"nsa_gate.weight", transposed(wave(9, 6, 4))}}), identity(9)).value,
        {{0.1656511943, -1.0867509855, 0.9316328091, 0.1660644717, -1.0894622828, 0.9339571075},
         {-0.6057016869, 0.0329079071, 0.0966816052, -0.4924531723, -0.3913717735, 0.4503015845},
         {-0.8705287153, 0.2452656841, 0.1214462105, -0.7431658557, 0.2749845078, 0.0471891972},
         {-0.1685897129, -0.3983504341, 0.2546691390, -0.4246586001, -0.1679486945, 0.2503466439},
         {0.4132838489, -0.3471802541, 0.0451784935, 0.6076472069, 0.0219718487, -0.2854565446},
         {0.2521016132, 0.4214889226, 0.2256301216, 0.3838331362, 0.2538874485, 0.0593167520},
         {-0.1122178573, 0.1331498870, 0.3085066131, -0.1256791506, 0.1187320246, 0.2899858232},
         {-0.8886359026, -0.4070591951, -0.0716398531, -0.3352588166, -0.0070940003, 0.2474713656},
         {-0.2458326707, 0.1137315253, 0.0689033029, -0.4426049549, 0.1938339379, 0.4037484292}},
        1e-9);
    check_equal(
        output(vertical_slash({.columns = 3, .diagonals = 2, .queries = 4, .first = 1, .nearest = 1})),
        {{0.1411200081, -0.9258146823, 0.7936678638, 0.1411200081, -0.9258146823, 0.7936678638},
         {-0.4907022933, 0.0630656342, 0.0459624380, -0.2311831143, -0.3431140897, 0.3530802746},
         {-0.5074632284, 0.1143351378, 0.1331370035, -0.5176344729, 0.1359489446, 0.1454395040},
         {-0.2493419320, -0.0880784279, 0.0400861939, -0.0926581242, -0.4275964558, 0.3204839910},
         {0.2959754607, -0.3300079275, 0.1338627694, 0.3908119813, -0.2002336736, 0.0412097870},
         {0.0453306453, 0.3236614698, 0.1560181412, 0.3093687123, -0.7299962774, 0.6365822737},
         {-0.2807875425, 0.0056336362, 0.4208680387, 0.1260119470, -0.1978727513, 0.3418948060},
         {-0.5641575315, -0.2109342102, 0.0692737037, 0.0382838784, -0.0390953002, 0.8072725743},
         {-0.1275240179, 0.4324655304, 0.2356534695, 0.1571759872, -0.4605064033, 0.1674856263}},
        1e-9);
    check_equal(output(mean_blocks(4, 2)),
                {{0.1411200081, -0.9258146823, 0.7936678638, 0.1411200081, -0.9258146823, 0.7936678638},
                 {-0.4907022933, 0.0630656342, 0.0459624380, -0.2311831143, -0.3431140897, 0.3530802746},
                 {-0.5074632284, 0.1143351378, 0.1331370035, -0.5930152758, 0.2481165775, 0.0313888613},
                 {-0.2493419320, -0.0880784279, 0.0400861939, -0.3510642147, -0.0693576165, 0.1828578430},
                 {0.1592525642, -0.2342964706, 0.1190823089, 0.2487841150, -0.0992582272, -0.0129883627},
                 {0.0352778933, 0.1697533264, 0.1709922883, 0.0002926666, -0.0709005962, 0.1137731689},
                 {-0.0824254525, -0.0172885006, 0.2380431256, -0.0865677963, -0.0280383229, 0.2123094711},
                 {-0.2140628479, -0.1263097448, -0.0240334861, -0.1451523940, 0.0603265598, 0.3515419416},
                 {-0.1493734529, -0.0397785683, 0.0176549351, -0.1985046006, -0.1401346422, 0.1623981631}},
                1e-9);
    check_equal(output(snap_kv({.prompt = 6, .capacity = 3, .window = 2, .pool = 3, .first = 1, .last = 1})),
                {{0.1411200081, -0.9258146823, 0.7936678638, 0.1411200081, -0.9258146823, 0.7936678638},
                 {-0.4907022933, 0.0630656342, 0.0459624380, -0.2311831143, -0.3431140897, 0.3530802746},
                 {-0.5074632284, 0.1143351378, 0.1331370035, -0.5930152758, 0.2481165775, 0.0313888613},
                 {-0.2493419320, -0.0880784279, 0.0400861939, -0.3510642147, -0.0693576165, 0.1828578430},
                 {0.1592525642, -0.2342964706, 0.1190823089, 0.2487841150, -0.0992582272, -0.0129883627},
                 {0.0352778933, 0.1697533264, 0.1709922883, 0.0002926666, -0.0709005962, 0.1137731689},
                 {-0.2807875425, 0.0056336362, 0.4208680387, -0.2967512543, -0.0106279037, 0.3890320657},
                 {-0.5641575315, -0.2109342102, 0.0692737037, -0.2993810096, 0.1519105544, 0.5103676800},
                 {-0.2405736292, 0.2448208915, 0.0737024786, -0.3207478141, 0.0986718491, 0.2165928819}},
                1e-9);
}

TEST_CASE("sparse: what a causal selection may not know") {
    Sequence const x = identity(9);
    for (Selector const& select : {top_tokens(3), top_blocks(2, 2), quest(1, 3)})
        check_equal(sparse_attention(two, select)(waves, rows_between(x, 0, 5)).value,
                    rows_between(output(select), 0, 5), 0);
    Parameters const gated = with(waves, {{"nsa_gate.weight", transposed(wave(9, 6, 4))}});
    check_equal(nsa({2, 3, 2}, two)(gated, rows_between(x, 0, 5)).value,
                rows_between(nsa({2, 3, 2}, two)(gated, x).value, 0, 5), 0);
}

TEST_CASE("sparse: Quest's bound is one, and is reached by a page of one key") {
    for (std::uint32_t seed = 0; seed < 50; ++seed) {
        Rows const k = exactly(numbers(8, 5, seed));
        Row const q = exactly(numbers(1, 5, seed + 100)[0]);
        double const bound = quest_bound(q, k, 0, 8);
        for (Row const& key : k) CHECK(dot(q, key).value <= bound + 1e-12);
        CHECK(quest_bound(q, k, 3, 4) == doctest::Approx(dot(q, k[3]).value));
    }
}

TEST_CASE("sparse: what SnapKV keeps, adaptively, and what FlexPrefill takes") {
    // two key heads; head 0 looks at one key, head 1 at all alike: the budget goes to head 1
    Sequence const sharp = {{60, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}};
    Sequence q(7, {1, 0, 0, 0}), k = beside(sharp, Sequence(7, {0, 0}));
    Parameters const p = giving(q, k, wave(7, 4, 3));
    Rows const x = exactly(identity(7));
    Attention const a{.heads = 2};
    detail::Attending const attending(a, p, x, x);
    SnapKv const s{
        .prompt = 6, .capacity = 3, .window = 1, .pool = 1, .first = 0, .last = 0, .adaptive = true};
    auto const kept = [&](SnapKv const& options, int h) {
        Chosen const chosen = snap_kv(options)(attending, h);
        std::string row;
        for (bool c : chosen[6]) row += c ? 'x' : '.';
        return row;
    };
    CHECK(kept(s, 0) == "x.....x");
    CHECK(kept(s, 1) == "xxxxx.x");
    SnapKv plain = s;
    plain.adaptive = false;
    CHECK(kept(plain, 0) == "xxx...x"); // equals: the earlier
    CHECK(kept(plain, 1) == "xxx...x");
    plain.last = 2;
    CHECK(kept(plain, 1) == "x...xxx");
    Chosen const flex = flex_prefill(.9, 1, 2)(attending, 0), wide = flex_prefill(.9, 3, 2)(attending, 0);
    CHECK(flex[4] ==
          std::vector<bool>{true, false, false, false, false, false, false}); // column 0; diagonals 5, 6
    CHECK(wide[4] == std::vector<bool>{true, true, true, false, true, false, false});
}
