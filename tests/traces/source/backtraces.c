/* Prints its own stack by glibc's backtrace(), from a library's callback and in a signal handler. */
#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void print_stack(void)
{
    void *stack[32];
    int depth = backtrace(stack, 32);
    char **symbols = backtrace_symbols(stack, depth);
    for (int i = 0; symbols && i < depth; i++)
        puts(symbols[i]);
    puts("");
    fflush(stdout);
    free(symbols);
    backtrace_symbols_fd(stack, depth, STDOUT_FILENO);
}

int compare(const void *a, const void *b)
{
    static int printed;
    if (!printed++)
        print_stack();
    return *(const int *)a - *(const int *)b;
}

static void handle(int number)
{
    (void)number;
    print_stack();
    _exit(0);
}

int main(void)
{
    int numbers[] = {3, 1, 2};
    qsort(numbers, 3, sizeof numbers[0], compare);
    signal(SIGSEGV, handle);
    puts("");
    fflush(stdout);
    *(volatile int *)8 = numbers[0];
    return 0;
}
