#include <signal.h>
#include <stdlib.h>
#include <string.h>
static void (*hook)(int);
static void handler(int signal) { hook(signal); }
__attribute__((noinline)) size_t measure(const char *text) { return strlen(text) + 1; }
int main(void) { signal(SIGSEGV, handler); return (int)measure((char *)8); }
