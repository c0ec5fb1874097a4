#define _GNU_SOURCE
#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum state { STATE_IDLE, STATE_BUSY };
struct entry { struct entry *next, **prev; };
struct watch {
    int fd;
    short events;
    enum state state;
    char name[64];
    const char *path;
    void (*callback)(struct watch *, int);
    struct entry entry;
    union { int number; float ratio; };
    double load;
    unsigned bits : 3;
    int table[12];
};

static struct watch watch = { .fd = -1, .events = 4, .name = "event \"loop\" (1)", .path = "/var/lib/xen/a,b" };

static pthread_barrier_t barrier;

static void on_event(struct watch *w, int fd) {
    assert(fd == w->fd);
}

static inline __attribute__((always_inline)) int dispatch(struct watch *watches, size_t count, const char *reason) {
    int handled = 0;
    for (size_t i = 0; i < count; i++) {
        watches[i].callback(&watches[i], 43);
        handled++;
    }
    return handled;
}

__attribute__((noinline)) int run_once(struct watch *watches, size_t count, const char *reason_for_running_the_loop_once, char separator) {
    char copy[128] = "";
    strncpy(copy, reason_for_running_the_loop_once, sizeof copy - 1);
    int handled = dispatch(watches, count, copy);
    return handled + separator;
}

static void *worker(void *argument) {
    pthread_setname_np(pthread_self(), "worker (2)");
    pthread_barrier_wait(&barrier);
    for (;;) pause();
    return argument;
}

int main(void) {
    pthread_t thread;
    pthread_barrier_init(&barrier, 0, 2);
    pthread_create(&thread, 0, worker, &watch);
    pthread_barrier_wait(&barrier);
    watch.callback = on_event;
    watch.entry.prev = &watch.entry.next;
    return run_once(&watch, 1, "poll got (1) event, fd=43", ',');
}
