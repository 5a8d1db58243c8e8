// Names that X11, Windows, Qt and Eigen bring along, before inlay is included; inlay's own by qualified
// names.
typedef unsigned long Window;
typedef int Depth;
struct Dense {};
struct Vector {};
#define None 0L
#define Bool int
#define Status int
#define Success 0
#define Always 2
#define True 1
#define False 0
#define emit
#define signals public
#define slots_of_qt
#define near
#define far
#define IN
#define OUT
#define interface struct
#define small char
#define ERROR 0

#include <inlay/data.hpp>
#include <inlay/inlay.hpp>
#include <inlay/parallel.hpp>
#include <inlay/train.hpp>

using Net = inlay::Model<inlay::Vector<8>, inlay::Dense<4>, inlay::Relu, inlay::Dense<1>>;

int main() {
    [[maybe_unused]] Window const window = None;
    [[maybe_unused]] Dense const dense{};
    [[maybe_unused]] Depth const depth = 24;
    inlay::Network<Net> net(inlay::Seed{1});
    return sizeof net > 0 ? 0 : 1;
}
