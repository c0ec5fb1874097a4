// Templates, lambdas, exceptions and the standard library: what C++ makes of names and inlined calls.

#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

namespace geometry {

struct Point {
    double x, y;
    friend Point operator+(const Point &a, const Point &b) { return {a.x + b.x, a.y + b.y}; }
    friend Point operator*(const Point &a, double by) { return {a.x * by, a.y * by}; }
};

class Shape {
public:
    virtual ~Shape() = default;
    virtual double area() const = 0;
    virtual std::string name() const = 0;
};

template <typename Number, unsigned Corners>
class Polygon : public Shape {
public:
    explicit Polygon(std::vector<Point> corners) : corners_(std::move(corners))
    {
        if (corners_.size() != Corners)
            throw std::invalid_argument("not so many corners: " + std::to_string(corners_.size()));
    }

    double area() const override
    {
        Number sum = 0;
        for (unsigned at = 0; at < Corners; at++) {
            const Point &a = corners_[at], &b = corners_[(at + 1) % Corners];
            sum += static_cast<Number>(a.x * b.y - b.x * a.y);
        }
        return static_cast<double>(sum < 0 ? -sum : sum) / 2;
    }

    std::string name() const override { return "polygon of " + std::to_string(Corners); }

private:
    std::vector<Point> corners_;
};

namespace {

struct Circle final : Shape {
    double radius;
    explicit Circle(double of) : radius(of) {}
    double area() const override { return 3.14159265358979 * radius * radius; }
    std::string name() const override { return "circle"; }
};

} // namespace

template <typename Made, typename... Arguments>
std::unique_ptr<Shape> make(Arguments &&...arguments)
{
    return std::make_unique<Made>(std::forward<Arguments>(arguments)...);
}

} // namespace geometry

using geometry::Shape;
using Shapes = std::vector<std::unique_ptr<Shape>>;

template <typename Compare>
static void sort_shapes(Shapes &shapes, Compare compare)
{
    std::sort(shapes.begin(), shapes.end(),
              [&](const auto &a, const auto &b) { return compare(*a, *b); });
}

static std::map<std::string, std::vector<double>> by_name(const Shapes &shapes)
{
    std::map<std::string, std::vector<double>> areas;
    for (const auto &shape : shapes)
        areas[shape->name()].push_back(shape->area());
    return areas;
}

static double fold(const std::vector<double> &values, const std::function<double(double, double)> &with)
{
    return std::accumulate(values.begin(), values.end(), 0.0, with);
}

int main(int argc, char **)
{
    Shapes shapes;
    shapes.push_back(geometry::make<geometry::Circle>(argc));
    shapes.push_back(geometry::make<geometry::Polygon<double, 3>>(
        std::vector<geometry::Point>{{0, 0}, {4, 0}, {0, 3}}));
    shapes.push_back(geometry::make<geometry::Polygon<long, 4>>(
        std::vector<geometry::Point>{{0, 0}, {2, 0}, {2, 2}, {0, 2}}));
    try {
        shapes.push_back(geometry::make<geometry::Polygon<float, 5>>(std::vector<geometry::Point>{}));
    } catch (const std::invalid_argument &error) {
        std::printf("%s\n", error.what());
    }
    double scale = argc;
    sort_shapes(shapes, [scale](const Shape &a, const Shape &b) { return a.area() * scale < b.area(); });
    for (const auto &[name, areas] : by_name(shapes))
        std::printf("%s: %.2f\n", name.c_str(), fold(areas, [](double a, double b) { return a + b; }));
    return 0;
}
