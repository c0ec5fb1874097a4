// Names with blanks, parentheses and operators, on the way to a use after free.
#include <functional>
#include <memory>

namespace {
struct Reader {
    int *values;
    int operator()(int at) const { return values[at]; }
    int operator[](long at) const { return (*this)(static_cast<int>(at)); }
};
}

template <typename T> struct Holder {
    T held;
    __attribute__((noinline)) int read(const std::function<int(const T &)> &how) const { return how(held); }
};

int main()
{
    auto *values = new int[4]();
    Holder<Reader> holder{{values}};
    delete[] values;
    return holder.read([](const Reader &reader) { return reader[2]; });
}
