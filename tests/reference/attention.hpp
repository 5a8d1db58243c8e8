// SPDX-License-Identifier: BSD-3-Clause
// Attention, query by query: o_i = sum_j P_ij v_j over the keys that i sees, y = o W_o^T + b_o.
//
// Parameters. Matrices are [out, in] as PyTorch's Linear has them, and a bias [1, out] beside any of them is
// added: q [H dk, D], k [Hkv dk, D], v [Hkv dv, D], o [D, H dv]. Query head h is rows h dk to h dk + dk - 1
// of q, and reads key head h / (H / Hkv). What an option adds is said beside it.
#pragma once

#include "mask.hpp"
#include "position.hpp"
#include "row_map.hpp"

namespace reference {

enum class RowMap { softmax, sparsemax, entmax15, taylor };
enum class Scores { pairs, keys };         // q_i . k_j, or silu(q_j) . k_j: whatever the query
enum class Alibi { none, fixed, learned }; // learned: slopes [1, H]
enum class QkNorm { none, rms, l2 }; // rms: q_norm.weight, k_norm.weight [1, dk]; l2: temperature [1, H]
enum class OutputGate { none, headwise, elementwise }; // gate [H, D] or [H dv, D]
enum class Sink { none, off_by_one, learned };         // learned: sink [1, H]

// q and k hold two of each per head, side by side: P = P1 - lambda P2, then (1 - lambda_init) RMSNorm over
// the values of a head. lambda_q1, lambda_k1, lambda_q2, lambda_k2 [1, dk], norm.weight [1, dv].
struct Differential {
    bool on = false;
    int layer = 0; // from 0
    bool norm = true;
};

struct Attention {
    int heads = 1;
    int kv_heads = 0; // 0: as many
    Mask mask = {};
    Rope rope = {};
    int position = 0; // of the first token
    RowMap weights = RowMap::softmax;
    Scores scores = Scores::pairs;
    Alibi alibi = Alibi::none;
    QkNorm qk_norm = QkNorm::none; // before the rotation
    double softcap = 0;            // 0: none
    OutputGate gate = OutputGate::none;
    Sink sink = Sink::none;
    int sink_keys = 0;       // keys and values that all see: sink_key [H n, dk], sink_value [H n, dv]
    bool selective = false;  // what head 0 scores above 0, later queries see less of
    bool forgetting = false; // forget [H, D]
    Differential differential = {};
    double eps = 1e-6; // of the norms, and below the sum of taylor
};

// The share of head h of `heads` in each token.
inline Rows head_of(Rows const& x, int h, int heads) {
    Rows slice;
    for (Row const& token : x) {
        std::size_t const width = token.size() / static_cast<std::size_t>(heads);
        slice.push_back(part(token, static_cast<std::size_t>(h) * width, width));
    }
    return slice;
}

inline Row weighted_sum(Row const& weights, Rows const& values, std::size_t width) {
    Row sum;
    for (std::size_t c = 0; c < width; ++c) {
        Row column;
        for (std::size_t j = 0; j < weights.size(); ++j) column.push_back(values.at(j).at(c));
        sum.push_back(dot(weights, column));
    }
    return sum;
}

namespace detail {

struct Head {
    Rows q, k; // normed and turned
};

class Attending {
public:
    // Queries and keys come from `from`, values and gates from x.
    Attending(Attention const& a, Parameters const& p, Rows const& from, Rows const& x)
        : a_(a), p_(p), x_(x) {
        int const kv_heads = this->kv_heads(), sets = a.differential.on ? 2 : 1;
        if (a.heads % kv_heads != 0) throw std::invalid_argument("reference: heads do not share evenly");
        Rows const q = linear(p.child("q"), from), k = linear(p.child("k"), from),
                   v = linear(p.child("v"), x);
        for (int h = 0; h < a.heads; ++h) {
            int const g = h / (a.heads / kv_heads);
            values_.push_back(head_of(v, g, kv_heads));
            for (int set = 0; set < sets; ++set)
                heads_[set].push_back({prepared(head_of(q, h * sets + set, a.heads * sets), "q_norm"),
                                       prepared(head_of(k, g * sets + set, kv_heads * sets), "k_norm")});
            forgotten_.push_back(forgotten(h, from));
        }
        if (a.selective) mask_out();
    }

    Attention const& options() const { return a_; }
    int kv_heads() const { return a_.kv_heads == 0 ? a_.heads : a_.kv_heads; }
    std::size_t size() const { return x_.size(); }
    Rows const& queries(int h) const { return heads_[0].at(static_cast<std::size_t>(h)).q; }
    Rows const& keys(int h) const { return heads_[0].at(static_cast<std::size_t>(h)).k; }
    Rows const& values(int h) const { return values_.at(static_cast<std::size_t>(h)); }
    Rounded score(int h, std::size_t i, std::size_t j) const { return logit(0, h, i, j); }

    // Of what the mask lets head h see, it sees [i][j] only where that is true.
    void narrow(int h, std::vector<std::vector<bool>> const& chosen) {
        chosen_.resize(static_cast<std::size_t>(a_.heads));
        chosen_.at(static_cast<std::size_t>(h)) = chosen;
    }
    bool sees(int h, std::size_t i, std::size_t j) const {
        return a_.mask(static_cast<int>(i), static_cast<int>(j)) &&
               (chosen_.empty() || chosen_[static_cast<std::size_t>(h)].at(i).at(j));
    }

    Rows output() const {
        Rows o(x_.size());
        for (std::size_t i = 0; i < x_.size(); ++i)
            for (int h = 0; h < a_.heads; ++h) {
                Row const mixed = mixture(h, i);
                o[i].insert(o[i].end(), mixed.begin(), mixed.end());
            }
        return projected(o);
    }

    // What head h of query i gets.
    Row mixture(int h, std::size_t i) const {
        Rows const& own = values_.at(static_cast<std::size_t>(h));
        std::size_t const width = own[i].size();
        Rows values;
        if (a_.sink != Sink::none) values.push_back(Row(width));
        for (int n = 0; n < a_.sink_keys; ++n)
            values.push_back(row_of(p_, "sink_value", static_cast<std::size_t>(h * a_.sink_keys + n)));
        for (std::size_t j = 0; j < x_.size(); ++j)
            if (sees(h, i, j)) values.push_back(own[j]);
        Row o = weighted_sum(weights(h, i), values, width);
        if (!a_.differential.on || !a_.differential.norm) return o;
        o = rms_normed(o, a_.eps, row_of(p_, "norm.weight"));
        for (Rounded& v : o) v = constant(1 - initial_lambda()) * v;
        return o;
    }

    // Gates and o.
    Rows projected(Rows o) const {
        for (std::size_t i = 0; i < x_.size(); ++i) {
            if (a_.gate == OutputGate::none) continue;
            Row const gates = linear(p_.child("gate"), x_[i]);
            std::size_t const share = o[i].size() / gates.size();
            for (std::size_t c = 0; c < o[i].size(); ++c) o[i][c] = o[i][c] * sigmoid(gates.at(c / share));
        }
        return linear(p_.child("o"), o);
    }

    // The weights of query i over the sink, the sink keys, then the keys that it sees, as many as there are
    // of each.
    Row weights(int h, std::size_t i) const {
        Row const w = weights(0, h, i);
        if (!a_.differential.on) return w;
        Row const second = weights(1, h, i);
        Row difference;
        for (std::size_t j = 0; j < w.size(); ++j) difference.push_back(w[j] - lambda() * second[j]);
        return difference;
    }

private:
    Attention const& a_;
    Parameters const& p_;
    Rows const& x_;
    std::vector<Head> heads_[2];
    std::vector<Rows> values_;
    std::vector<Row> forgotten_; // the sum of log f up to and with a token
    Rows masked_out_;            // F_ij
    std::vector<std::vector<std::vector<bool>>> chosen_;

    Rows prepared(Rows rows, std::string const& norm) const {
        for (std::size_t t = 0; t < rows.size(); ++t) {
            if (a_.qk_norm == QkNorm::rms)
                rows[t] = rms_normed(rows[t], a_.eps, row_of(p_, norm + ".weight"));
            if (a_.qk_norm == QkNorm::l2) rows[t] = l2_normed(rows[t], a_.eps);
            if (a_.scores == Scores::pairs)
                rows[t] = rotated(a_.rope, rows[t], a_.position + static_cast<int>(t));
        }
        return rows;
    }

    Row forgotten(int h, Rows const& from) const {
        Row sums;
        if (!a_.forgetting) return sums;
        Rounded sum;
        for (Row const& token : from) {
            sum += -softplus(-linear(p_.child("forget"), token).at(static_cast<std::size_t>(h)));
            sums.push_back(sum);
        }
        return sums;
    }

    // What head 0 gave key j above 0 before query i; never of the first key, nor by a key of itself.
    void mask_out() {
        masked_out_ = Rows(x_.size(), Row(x_.size()));
        for (std::size_t i = 0; i < x_.size(); ++i)
            for (std::size_t j = 1; j < x_.size(); ++j)
                for (std::size_t l = j + 1; l < i; ++l)
                    if (sees(0, l, j)) masked_out_[i][j] += relu(logit(0, 0, l, j));
    }

    Rounded scaled(int h, Row const& q, Row const& k) const {
        Rounded const s =
            dot(q, k) * (a_.qk_norm == QkNorm::l2 ? row_of(p_, "temperature").at(static_cast<std::size_t>(h))
                                                  : constant(1 / std::sqrt(double(q.size()))));
        return a_.softcap > 0 ? a_.softcap * tanh(s / a_.softcap) : s;
    }

    Rounded logit(int set, int h, std::size_t i, std::size_t j) const {
        std::size_t const head = static_cast<std::size_t>(h);
        Head const& of = heads_[set].at(head);
        Row query = of.q[i];
        if (a_.scores == Scores::keys) {
            query = of.q[j];
            for (Rounded& v : query) v = silu(v);
        }
        Rounded z = scaled(h, query, of.k[j]);
        double const distance = std::abs(double(i) - double(j));
        if (a_.alibi == Alibi::fixed) z = z - constant(alibi_slope(h, a_.heads) * distance);
        if (a_.alibi == Alibi::learned) z = z - row_of(p_, "slopes").at(head) * distance;
        if (a_.forgetting) z = z + (forgotten_[head][i] - forgotten_[head][j]);
        return z;
    }

    Row weights(int set, int h, std::size_t i) const {
        Row z;
        if (a_.sink == Sink::off_by_one) z.push_back(0.0);
        if (a_.sink == Sink::learned) z.push_back(row_of(p_, "sink").at(static_cast<std::size_t>(h)));
        for (int n = 0; n < a_.sink_keys; ++n)
            z.push_back(scaled(h, heads_[set].at(static_cast<std::size_t>(h)).q[i],
                               row_of(p_, "sink_key", static_cast<std::size_t>(h * a_.sink_keys + n))));
        for (std::size_t j = 0; j < x_.size(); ++j)
            if (sees(h, i, j))
                z.push_back(a_.selective ? logit(set, h, i, j) - masked_out_[i][j] : logit(set, h, i, j));
        switch (a_.weights) {
        case RowMap::sparsemax:
            return sparsemax(z);
        case RowMap::entmax15:
            return entmax15(z);
        case RowMap::taylor:
            return taylor(z, a_.eps);
        default:
            return softmax(z);
        }
    }

    Rounded lambda() const {
        return exp(dot(row_of(p_, "lambda_q1"), row_of(p_, "lambda_k1"))) -
               exp(dot(row_of(p_, "lambda_q2"), row_of(p_, "lambda_k2"))) + constant(initial_lambda());
    }
    double initial_lambda() const { return 0.8 - 0.6 * std::exp(-0.3 * a_.differential.layer); }
};

} // namespace detail

inline Block attention(Attention const& a = {}) {
    return block_of(
        [a](Parameters const& p, Rows const& x) { return detail::Attending(a, p, x, x).output(); });
}

// Queries and keys from another stream (of the first layer, of fixed embeddings), values and gates from x.
inline Block attention_of(Attention const& a, Sequence const& from) {
    return block_of([a, from](Parameters const& p, Rows const& x) {
        Rows const others = exactly(rows_between(from, 0, x.size()));
        return detail::Attending(a, p, others, x).output();
    });
}

} // namespace reference
