// SPDX-License-Identifier: BSD-3-Clause
// Crosses against PyTorch (tests/vectors/make_cross_vectors.py).
#include "pytorch.hpp"

using namespace pytorch;

TEST_CASE("deep crosses agree with PyTorch") {
    compare<Cross<Dcn<3>>, Shape<7>, 4>("dcn");
    compare<Cross<Dcn<2>, Rank<3>>, Shape<7>, 4>("dcn_low_rank");
    compare<Cross<Dcn<2>, Rank<3>, Experts<4>>, Shape<7>, 4>("dcn_experts");
    compare<Cross<Gdcn<2>>, Shape<7>, 4>("dcn_gated");
    compare<Cross<DcnV1<3>>, Shape<7>, 4>("dcn_v1");
}

TEST_CASE("products of fields agree with PyTorch") {
    compare<Cross<Fm>, Shape<6, 5>, 4>("fm");
    compare<Cross<Dot>, Shape<6, 5>, 4>("inner_products");
    compare<Cross<Cin<3, 2>>, Shape<4, 5>, 4>("cin");
    compare<Cross<Bilinear>, Shape<4, 5>, 4>("bilinear");
    compare<Cross<Bilinear, PerPair>, Shape<4, 5>, 4>("bilinear_per_pair");
    compare<Senet<3>, Shape<6, 5>, 4>("senet");
    compare<Cross<Fusion<2>>, Shape<12>, 4>("fusion");
}
