/* Ways to misuse the heap, two calls deep. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static int shared;

__attribute__((noinline)) int *make(void)
{
    int *made = malloc(4 * sizeof *made);
    memset(made, 0, 4 * sizeof *made);
    return made;
}

static inline __attribute__((always_inline)) int third(const int *values)
{
    return values[3];
}

__attribute__((noinline)) void drop(int *values)
{
    free(values);
}

__attribute__((noinline)) int use_after_free(int *values)
{
    drop(values);
    return third(values);
}

__attribute__((noinline)) void free_twice(int *values)
{
    drop(values);
    drop(values);
}

__attribute__((noinline)) int overflow(int value)
{
    return value + 0x7fffffff;
}

__attribute__((noinline)) int uninitialised(void)
{
    int *made = malloc(sizeof *made);
    int value = *made ? 1 : 2;
    free(made);
    return value;
}

static void *write_shared(void *unused)
{
    shared++;
    return unused;
}

__attribute__((noinline)) int race(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, write_shared, NULL);
    shared++;
    pthread_join(thread, NULL);
    return shared;
}

__attribute__((noinline)) void leak(void)
{
    make();
}

__attribute__((noinline)) void crash(volatile int *nowhere)
{
    *nowhere = 1;
}

int main(int argc, char **argv)
{
    switch (argc > 1 ? argv[1][0] : 0) {
    case 'u': return use_after_free(make());
    case 'd': free_twice(make()); return 0;
    case 'o': return overflow(argc);
    case 'i': return uninitialised();
    case 'r': return race();
    case 'l': leak(); return 0;
    case 's': crash((int *)(size_t)argc); return 0;
    default: return 2;
    }
}
