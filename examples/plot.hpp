// SPDX-License-Identifier: BSD-3-Clause
// Curves as an SVG file, for the examples.
#pragma once

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

struct Curve {
    std::string name;
    std::vector<double> x, y;
};
struct Axes {
    std::string title, x, y;
};

struct Panel {
    Axes axes;
    std::vector<Curve> curves;
};

/// Lines with a legend; curves without points are left out.
inline void draw_panel(std::FILE* file, Axes const& axes, std::vector<Curve> const& curves) {
    constexpr double left = 60, right = 460, top = 40, bottom = 330;
    char const* const colours[] = {"#1b6ca8", "#c8553d", "#3a7d44", "#7a4988",
                                   "#b8860b", "#444444", "#00838f", "#d16ba5"};
    double low_x = 1e300, high_x = -1e300, low_y = 1e300, high_y = -1e300;
    for (auto const& c : curves)
        for (std::size_t i = 0; i < c.x.size(); ++i) {
            low_x = std::min(low_x, c.x[i]), high_x = std::max(high_x, c.x[i]);
            low_y = std::min(low_y, c.y[i]), high_y = std::max(high_y, c.y[i]);
        }
    if (high_x <= low_x) high_x = low_x + 1;
    if (high_y <= low_y) high_y = low_y + 1;
    auto const at_x = [&](double x) { return left + (right - left) * (x - low_x) / (high_x - low_x); };
    auto const at_y = [&](double y) { return bottom - (bottom - top) * (y - low_y) / (high_y - low_y); };

    auto const text = [&](double x, double y, char const* anchor, std::string const& words) {
        std::fprintf(file, "<text x='%.1f' y='%.1f' text-anchor='%s'>%s</text>\n", x, y, anchor,
                     words.c_str());
    };
    auto const number = [](double v) {
        char words[32];
        std::snprintf(words, sizeof words, "%.4g", v);
        return std::string(words);
    };
    text((left + right) / 2, 20, "middle", axes.title);
    text((left + right) / 2, 370, "middle", axes.x);
    text(left, 34, "middle", axes.y);
    for (int i = 0; i <= 4; ++i) {
        double const x = low_x + (high_x - low_x) * i / 4, y = low_y + (high_y - low_y) * i / 4;
        std::fprintf(file, "<path d='M%.1f %.1fH%.1f' stroke='#dddddd'/>\n", left, at_y(y), right);
        text(at_x(x), bottom + 18, "middle", number(x));
        text(left - 6, at_y(y) + 4, "end", number(y));
    }
    double legend = top + 10;
    std::size_t colour = 0;
    for (auto const& c : curves) {
        char const* const ink = colours[colour++ % std::size(colours)];
        if (c.x.empty()) continue;
        std::fprintf(file, "<polyline fill='none' stroke='%s' stroke-width='2' points='", ink);
        for (std::size_t i = 0; i < c.x.size(); ++i)
            std::fprintf(file, "%.1f,%.1f ", at_x(c.x[i]), at_y(c.y[i]));
        std::fprintf(file, "'/>\n<path d='M%.1f %.1fh20' stroke='%s' stroke-width='3'/>\n", right + 15,
                     legend - 4, ink);
        text(right + 40, legend, "start", c.name);
        legend += 20;
    }
}

/// Plots below one another.
inline void plot(std::string const& path, std::vector<Panel> const& panels) {
    constexpr int wide = 680, high = 380;
    int const all = high * int(panels.size());
    std::FILE* const file = std::fopen(path.c_str(), "w");
    if (!file) throw std::runtime_error("cannot write " + path);
    std::fprintf(file,
                 "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' width='%d' height='%d' "
                 "font-family='sans-serif' font-size='12'>\n<rect width='%d' height='%d' fill='white'/>\n",
                 wide, all, wide, all, wide, all);
    for (std::size_t i = 0; i < panels.size(); ++i) {
        std::fprintf(file, "<g transform='translate(0 %d)'>\n", high * int(i));
        draw_panel(file, panels[i].axes, panels[i].curves);
        std::fprintf(file, "</g>\n");
    }
    std::fprintf(file, "</svg>\n");
    std::fclose(file);
}
inline void plot(std::string const& path, Axes const& axes, std::vector<Curve> const& curves) {
    plot(path, {Panel{axes, curves}});
}
