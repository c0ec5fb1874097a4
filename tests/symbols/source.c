/* No headers: 32-bit ones are rarely installed. */
int puts(const char *text);
void abort(void) __attribute__((noreturn));
__SIZE_TYPE__ strlen(const char *text);

static inline __attribute__((always_inline)) int innermost(int x)
{
    return x * 3 +
           (x > 10 ? 7 : 9);
}

static inline __attribute__((always_inline)) int inner(int x)
{
    int y = innermost(x) + 1;
    return innermost(y) ^ x;
}

__attribute__((noinline)) static int is_static(int x)
{
    return inner(x) + inner(x + 1);
}

__attribute__((noinline)) int has_cold(int x)
{
    if (__builtin_expect(x == 77, 0)) {
        puts("unlikely");
        abort();
    }
    return inner(x);
}

__attribute__((noinline)) int has_table(int x)
{
    switch (x) {
    case 0: return inner(3);
    case 1: return is_static(4);
    case 2: return x + 5;
    case 3: return has_cold(6);
    case 4: return x - 1;
    case 5: return puts("five");
    default: return 0;
    }
}

__attribute__((noinline)) int same_code_one(int x) { return x + 1; }
__attribute__((noinline)) int same_code_two(int x) { return x + 1; }

__attribute__((noinline)) int jumps_on(int x) { return is_static(x + 2); }

__attribute__((noinline)) int recurses(int x)
{
    return x < 2 ? x : recurses(x - 1) + recurses(x - 2);
}

#line 300 "another/file.h"
__attribute__((noinline)) int of_another_file(int x)
{
    return inner(x) + same_code_one(x) + same_code_two(x);
}

int main(int argc, char **argv)
{
    int sum = 0;
    for (int i = 0; i < argc + 6; i++)
        sum += has_table(i) + jumps_on(i) + of_another_file(i) + recurses(i);
    return sum + (int)strlen(argv[0]);
}
