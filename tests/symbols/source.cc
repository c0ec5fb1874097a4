#include <cstdio>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace outer {
inline namespace v1 {

template <typename T>
struct Box {
    T value;
    explicit Box(T v) : value(v) {}
    T twice() const { return value + value; }
    ~Box() { last = value; }
    T last{};
};

namespace {
__attribute__((noinline)) int unnamed(int x)
{
    return Box<int>(x).twice() + 1;
}
}

struct Base {
    virtual ~Base() = default;
    virtual int run(int x) = 0;
};

struct Derived : Base {
    int run(int x) override
    {
        struct Local {
            __attribute__((noinline)) static int method(int y) { return y * 5; }
        };
        return Local::method(x) + unnamed(x);
    }
    bool operator()(int a, int b) const { return a < b; }
};

}
}

__attribute__((noinline)) static int throws(int x)
{
    if (x > 100)
        throw std::runtime_error("too much: " + std::to_string(x));
    return x;
}

__attribute__((noinline)) int catches(int x)
{
    try {
        return throws(x);
    } catch (const std::exception &e) {
        std::puts(e.what());
        return -1;
    }
}

int main(int argc, char **)
{
    outer::Derived derived;
    outer::Base &base = derived;
    std::map<std::string, std::vector<int>> map;
    auto add = [&](const std::string &key, int value) { map[key].push_back(value); };
    for (int i = 0; i < argc + 3; i++)
        add(std::string(i, 'x'), base.run(i) + catches(i * 60));
    int sum = 0;
    for (const auto &[key, values] : map)
        for (int value : values)
            sum += value + static_cast<int>(key.size());
    return sum + derived(1, 2);
}
