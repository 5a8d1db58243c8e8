// SPDX-License-Identifier: BSD-3-Clause
// The line of a fit: on a terminal, and nowhere else.
#include "fixtures.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace inlay;
using namespace fixtures;

namespace {
/// What a fit writes to stderr, where `theirs` is the end for it and `ours` the one to read from.
std::string written(int ours, int theirs, FitOptions<Rows<Shape<2>>> options) {
    pid_t const child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        dup2(theirs, STDERR_FILENO);
        Network<Line> net(Seed{1});
        Trainer<Line, MeanSquaredError, Batch<10>, Sgd>(net).fit(line(100, 1), options);
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(status == 0);
    fcntl(ours, F_SETFL, O_NONBLOCK);
    std::string all;
    char part[4096];
    for (ssize_t n; (n = read(ours, part, sizeof part)) > 0;) all.append(part, std::size_t(n));
    return all;
}
std::string on_terminal(FitOptions<Rows<Shape<2>>> const& options) {
    int const ours = posix_openpt(O_RDWR | O_NOCTTY);
    REQUIRE(ours >= 0);
    REQUIRE(grantpt(ours) == 0);
    REQUIRE(unlockpt(ours) == 0);
    int const theirs = open(ptsname(ours), O_RDWR | O_NOCTTY);
    REQUIRE(theirs >= 0);
    std::string const all = written(ours, theirs, options);
    close(theirs);
    close(ours);
    return all;
}
} // namespace

TEST_CASE("a terminal gets one line with loss, rate and time left, which ends") {
    std::string const all = on_terminal({.epochs = 2, .progress = true});
    CAPTURE(all);
    CHECK(all.starts_with("\repoch 1  step 1/20  loss "));
    CHECK(all.find("\repoch 2  step 20/20  loss ") != std::string::npos);
    CHECK(all.find(" rows/s  0 s left") != std::string::npos);
    CHECK(std::count(all.begin(), all.end(), '\n') == 1);
    CHECK(all.ends_with("\n"));
    // A fit that stops early ends its line too.
    std::string const stopped =
        on_terminal({.epochs = 2, .progress = true, .on_step = [](StepEvent& e) { e.stop = e.step == 3; }});
    CHECK(stopped.find("20/20") == std::string::npos);
    CHECK(stopped.ends_with("\n"));
    CHECK(on_terminal({.epochs = 2}).empty());
}

TEST_CASE("a pipe gets nothing") {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    CHECK(written(ends[0], ends[1], {.epochs = 2, .progress = true}).empty());
}
