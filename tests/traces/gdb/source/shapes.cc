#include <cstdlib>
#include <map>
#include <string>
#include <vector>
namespace {
struct Base { int kind = 7; virtual ~Base() = default; };
struct Shape : Base { std::string name = "a (b), c"; std::vector<int> sides{3, 4, 5}; static int count; };
int Shape::count = 2;
template <typename F, typename T> struct Caller {
    F function;
    __attribute__((noinline)) int operator()(T const &value) const { return function(value) + 1; }
};
__attribute__((noinline)) int area(Shape const &shape) { if (shape.sides.size() == 3) abort(); return 1; }
}
struct Vec { int x, y; __attribute__((noinline)) bool operator<(Vec const &other) const { if (x < other.x) abort(); return false; } };
int main(int argc, char **) {
    Shape shape;
    std::map<std::string, int> counts{{"one", 1}, {"two, three", 23}};
    if (argc > 1) { Vec a{1, 2}, b{3, 4}; return a < b; }
    auto lambda = [&](Shape const &s) { return area(s) + (int)counts.size(); };
    Caller<decltype(lambda), Shape> caller{lambda};
    return caller(shape);
}
