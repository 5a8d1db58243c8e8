// SPDX-License-Identifier: BSD-3-Clause
// One coordinate of each optimizer: step(w, g) returns the new w. The gradient is already that of the batch.
#pragma once

#include <cmath>

namespace reference {

struct Sgd {
    double lr = 0.1, momentum = 0, damping = 0, decay = 0;
    bool nesterov = false;
    double buffer = 0;
    int t = 0;

    double step(double w, double g) {
        g += decay * w;
        if (momentum == 0) return w - lr * g;
        buffer = ++t == 1 ? g : momentum * buffer + (1 - damping) * g;
        return w - lr * (nesterov ? g + momentum * buffer : buffer);
    }
};

// Dense and row-sparse are the same formula; G0 = 0.1 with eps = 0 is TensorFlow's.
struct AdaGrad {
    double lr = 0.1, eps = 1e-10, initial = 0, lr_decay = 0, decay = 0;
    double squares = 0;
    int t = 0;

    double step(double w, double g) {
        g += decay * w;
        if (++t == 1) squares = initial;
        squares += g * g;
        return w - lr / (1 + (t - 1) * lr_decay) * g / (std::sqrt(squares) + eps);
    }
};

// decoupled = true is AdamW: the weight decays first, the gradient knows nothing of it.
struct Adam {
    double lr = 0.1, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, decay = 0;
    bool decoupled = false;
    double m = 0, v = 0;
    int t = 0;

    double step(double w, double g) {
        if (decoupled) w *= 1 - lr * decay;
        else g += decay * w;
        ++t;
        m = beta1 * m + (1 - beta1) * g;
        v = beta2 * v + (1 - beta2) * g * g;
        return w -
               lr / (1 - std::pow(beta1, t)) * m / (std::sqrt(v) / std::sqrt(1 - std::pow(beta2, t)) + eps);
    }
};

// The sign of an interpolated momentum; the weight decays beside it.
struct Lion {
    double lr = 0.1, beta1 = 0.9, beta2 = 0.99, decay = 0;
    double m = 0;

    double step(double w, double g) {
        double const u = beta1 * m + (1 - beta1) * g, sign = u > 0 ? 1 : u < 0 ? -1 : 0;
        m = beta2 * m + (1 - beta2) * g;
        return w - lr * (sign + decay * w);
    }
};

inline Adam adamw(double lr, double decay) {
    Adam adam;
    adam.lr = lr;
    adam.decay = decay;
    adam.decoupled = true;
    return adam;
}

// FTRL-Proximal: the weight is a function of the state (z, n). start(w) sets the state so that weight() == w
// when l1 = l2 = 0.
struct Ftrl {
    double alpha = 0.1, beta = 1, l1 = 0, l2 = 0;
    double z = 0, n = 0;

    void start(double w) { z = -w * beta / alpha; }
    double weight() const {
        if (std::abs(z) <= l1) return 0;
        return -(z - std::copysign(l1, z)) / ((beta + std::sqrt(n)) / alpha + l2);
    }
    double step(double g) {
        double const w = weight();
        double const sigma = (std::sqrt(n + g * g) - std::sqrt(n)) / alpha;
        z += g - sigma * w;
        n += g * g;
        return weight();
    }
};

} // namespace reference
