/* A small toolstack: its own event loop, as libvirt has, under libxenlight, whose operations run in another thread.
 * No hypervisor is needed (hypervisor.c, store.c), so operations fail somewhere on their way, as deep as they come.
 *
 *     toolstack SOCKET
 */

#include "toolstack.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>
#include <libxl.h>
#include <libxl_event.h>
#include <libxl_utils.h>
#include <libxlutil.h>

#define HANDLES 128

static struct handle {
    int id, fd;
    short events;
    struct timeval at;
    void *for_libxl;
} handles[HANDLES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t completed = PTHREAD_COND_INITIALIZER;
static libxl_ctx *context;
static int wakeup[2], next_id = 1, done, operations_left;

/* --- the event loop --- */

static void wake(void)
{
    if (write(wakeup[1], "", 1) < 0)
        perror("wake");
}

static struct handle *find(int id)
{
    for (int at = 0; at < HANDLES; at++)
        if (handles[at].id == id)
            return &handles[at];
    return NULL;
}

static int add(struct handle wanted, void **out)
{
    struct handle *free_handle;
    pthread_mutex_lock(&lock);
    free_handle = find(0);
    if (free_handle) {
        *free_handle = wanted;
        free_handle->id = next_id++;
        *out = (void *)(intptr_t)free_handle->id;
    }
    pthread_mutex_unlock(&lock);
    wake();
    return free_handle ? 0 : ERROR_NOMEM;
}

static void drop(void *registration)
{
    struct handle *handle;
    pthread_mutex_lock(&lock);
    handle = find((int)(intptr_t)registration);
    if (handle)
        memset(handle, 0, sizeof(*handle));
    pthread_mutex_unlock(&lock);
    wake();
}

static int on_fd_register(void *user, int fd, void **out, short events, void *for_libxl)
{
    (void)user;
    return add((struct handle){ .fd = fd, .events = events, .for_libxl = for_libxl }, out);
}

static int on_fd_modify(void *user, int fd, void **registration, short events)
{
    struct handle *handle;
    (void)user, (void)fd;
    pthread_mutex_lock(&lock);
    handle = find((int)(intptr_t)*registration);
    if (handle)
        handle->events = events;
    pthread_mutex_unlock(&lock);
    wake();
    return 0;
}

static void on_fd_deregister(void *user, int fd, void *registration)
{
    (void)user, (void)fd;
    drop(registration);
}

static int on_timeout_register(void *user, void **out, struct timeval at, void *for_libxl)
{
    (void)user;
    return add((struct handle){ .fd = -1, .at = at, .for_libxl = for_libxl }, out);
}

static int on_timeout_modify(void *user, void **registration, struct timeval at)
{
    struct handle *handle;
    (void)user;
    pthread_mutex_lock(&lock);
    handle = find((int)(intptr_t)*registration);
    if (handle)
        handle->at = at;
    pthread_mutex_unlock(&lock);
    wake();
    return 0;
}

static void on_timeout_deregister(void *user, void *registration)
{
    (void)user;
    drop(registration);
}

static const libxl_osevent_hooks hooks = {
    on_fd_register, on_fd_modify, on_fd_deregister,
    on_timeout_register, on_timeout_modify, on_timeout_deregister,
};

static void dispatch_fd(const struct handle *handle, short events)
{
    libxl_osevent_occurred_fd(context, handle->for_libxl, handle->fd, handle->events, events);
}

static void dispatch_timeout(const struct handle *handle)
{
    libxl_osevent_occurred_timeout(context, handle->for_libxl);
}

static int is_due(const struct handle *handle)
{
    struct timeval now;
    gettimeofday(&now, NULL);
    return handle->id && handle->fd < 0 && !timercmp(&handle->at, &now, >);
}

static void run_once(void)
{
    struct pollfd polled[HANDLES + 1] = { { wakeup[0], POLLIN, 0 } };
    int ids[HANDLES + 1] = { 0 }, count = 1, due = 0;
    char drained[64];

    pthread_mutex_lock(&lock);
    for (int at = 0; at < HANDLES; at++)
        if (handles[at].id && handles[at].fd >= 0) {
            polled[count] = (struct pollfd){ handles[at].fd, handles[at].events, 0 };
            ids[count++] = handles[at].id;
        }
    pthread_mutex_unlock(&lock);
    if (poll(polled, (nfds_t)count, 50) < 0)
        return;
    if (polled[0].revents && read(wakeup[0], drained, sizeof(drained)) < 0)
        perror("drain");
    for (int at = 1; at < count; at++) {
        struct handle copy = { 0 }, *handle;
        pthread_mutex_lock(&lock);
        if (polled[at].revents && (handle = find(ids[at])))
            copy = *handle;
        pthread_mutex_unlock(&lock);
        if (copy.id)
            dispatch_fd(&copy, polled[at].revents);
    }
    do {
        struct handle copy = { 0 };
        pthread_mutex_lock(&lock);
        for (int at = due = 0; at < HANDLES && !due; at++)
            if (is_due(&handles[at])) {
                copy = handles[at];
                memset(&handles[at], 0, sizeof(handles[at]));
                due = 1;
            }
        pthread_mutex_unlock(&lock);
        if (due)
            dispatch_timeout(&copy);
    } while (due);
}

/* --- operations --- */

static void on_complete(libxl_ctx *ctx, int rc, void *user)
{
    (void)ctx;
    printf("%s: %d\n", (const char *)user, rc);
    pthread_mutex_lock(&lock);
    operations_left--;
    pthread_cond_broadcast(&completed);
    pthread_mutex_unlock(&lock);
}

static libxl_asyncop_how *how(libxl_asyncop_how *out, const char *operation)
{
    memset(out, 0, sizeof(*out));
    out->callback = on_complete;
    out->u.for_callback = (void *)operation;
    pthread_mutex_lock(&lock);
    operations_left++;
    pthread_mutex_unlock(&lock);
    return out;
}

/* Waits for the operations begun: they are completed by the event loop, or failed at once. */
static void settle(int rc, const char *operation)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 5;
    pthread_mutex_lock(&lock);
    if (rc) {
        printf("%s: at once %d\n", operation, rc);
        operations_left--;
    }
    while (operations_left > 0 && !pthread_cond_timedwait(&completed, &lock, &until))
        continue;
    pthread_mutex_unlock(&lock);
}

static void on_event(void *user, libxl_event *event)
{
    (void)user;
    printf("event %s\n", libxl_event_type_to_string(event->type));
    libxl_event_free(context, event);
}

static void on_disaster(void *user, libxl_event_type type, const char *message, int number)
{
    (void)user;
    printf("disaster %d %s %d\n", type, message, number);
}

static const libxl_event_hooks event_hooks = { LIBXL_EVENTMASK_ALL, on_event, on_disaster };

static void describe(libxl_domain_config *config, libxl_domain_type type, const char *kernel)
{
    libxl_domain_config_init(config);
    config->c_info.type = type;
    config->c_info.name = strdup(type == LIBXL_DOMAIN_TYPE_PV ? "paravirtual" : "full");
    libxl_uuid_generate(&config->c_info.uuid);
    libxl_domain_build_info_init_type(&config->b_info, type);
    config->b_info.max_vcpus = 1;
    config->b_info.max_memkb = config->b_info.target_memkb = 64 * 1024;
    config->b_info.kernel = kernel ? strdup(kernel) : NULL;
}

static void add_disk(libxl_domain_config *config)
{
    config->disks = calloc(1, sizeof(*config->disks));
    config->num_disks = 1;
    libxl_device_disk_init(config->disks);
    config->disks->pdev_path = strdup("/etc/passwd");
    config->disks->vdev = strdup("xvda");
    config->disks->format = LIBXL_DISK_FORMAT_RAW;
    config->disks->backend = LIBXL_DISK_BACKEND_QDISK;
    config->disks->readwrite = 1;
}

static void add_nic(libxl_domain_config *config)
{
    config->nics = calloc(1, sizeof(*config->nics));
    config->num_nics = 1;
    libxl_device_nic_init(config->nics);
    config->nics->script = strdup("/bin/true");
}

static void create(libxl_domain_type type, const char *kernel, const char *bootloader, const char *operation)
{
    libxl_domain_config config;
    libxl_asyncop_how asynchronously;
    uint32_t domain = 0;
    char *json;

    describe(&config, type, kernel);
    add_disk(&config);
    add_nic(&config);
    config.b_info.bootloader = bootloader ? strdup(bootloader) : NULL;
    json = libxl_domain_config_to_json(context, &config);
    if (json) {
        libxl_domain_config again;
        libxl_domain_config_init(&again);
        libxl_domain_config_from_json(context, &again, json);
        libxl_domain_config_dispose(&again);
        free(json);
    }
    settle(libxl_domain_create_new(context, &config, &domain, how(&asynchronously, operation), NULL), operation);
    libxl_domain_config_dispose(&config);
}

static void read_configuration(void)
{
    static const char text[] = "name = 'guest'\nmemory = 64\ndisk = ['phy:/dev/null,xvda,w', 'x']\nvcpus = two\n";
    XLU_Config *parsed = xlu_cfg_init(stderr, "guest.cfg");
    XLU_ConfigList *disks;
    libxl_device_disk disk;
    const char *name;
    int count;

    xlu_cfg_readdata(parsed, text, sizeof(text) - 1);
    if (!xlu_cfg_get_string(parsed, "name", &name, 0) && !xlu_cfg_get_list(parsed, "disk", &disks, &count, 0))
        printf("%s has %d disks\n", name, count);
    libxl_device_disk_init(&disk);
    static const char *const specification[] = { "phy:/dev/null,xvda,w" };
    printf("disk: %d\n", xlu_disk_parse(parsed, 1, specification, &disk));
    libxl_device_disk_dispose(&disk);
    xlu_cfg_destroy(parsed);
}

static void change_devices(uint32_t domain)
{
    libxl_asyncop_how asynchronously;
    libxl_domain_config devices;
    libxl_domain_config_init(&devices);
    add_disk(&devices);
    add_nic(&devices);
    settle(libxl_device_disk_add(context, domain, devices.disks, how(&asynchronously, "disk add")), "disk add");
    settle(libxl_device_nic_add(context, domain, devices.nics, how(&asynchronously, "nic add")), "nic add");
    settle(libxl_device_disk_remove(context, domain, devices.disks, how(&asynchronously, "disk remove")),
           "disk remove");
    libxl_domain_config_dispose(&devices);
}

static void *operate(void *unused)
{
    libxl_evgen_domain_death *death = NULL;
    libxl_evgen_disk_eject *eject = NULL;
    libxl_asyncop_how asynchronously;
    libxl_physinfo physical;
    libxl_dominfo *domains;
    int count, null = open("/dev/null", O_RDWR);

    (void)unused;
    read_configuration();
    libxl_physinfo_init(&physical);
    printf("physinfo: %d\n", libxl_get_physinfo(context, &physical));
    libxl_physinfo_dispose(&physical);
    libxl_get_version_info(context);
    domains = libxl_list_domain(context, &count);
    libxl_dominfo_list_free(domains, domains ? count : 0);
    libxl_cpupoolinfo_list_free(libxl_list_cpupool(context, &count), count);
    libxl_evenable_domain_death(context, 5, 0, &death);
    libxl_evenable_disk_eject(context, 5, "xvda", 0, &eject);
    create(LIBXL_DOMAIN_TYPE_PV, "/nonexistent", NULL, "create without a kernel");
    create(LIBXL_DOMAIN_TYPE_PV, NULL, "/bin/true", "create with a bootloader");
    create(LIBXL_DOMAIN_TYPE_HVM, NULL, NULL, "create a full one");
    create(LIBXL_DOMAIN_TYPE_PVH, "/dev/null", NULL, "create in a container");
    change_devices(5);
    settle(libxl_domain_suspend(context, 5, null, 0, how(&asynchronously, "suspend")), "suspend");
    settle(libxl_domain_shutdown(context, 5, how(&asynchronously, "shutdown")), "shutdown");
    settle(libxl_domain_destroy(context, 5, how(&asynchronously, "destroy")), "destroy");
    if (death)
        libxl_evdisable_domain_death(context, death);
    if (eject)
        libxl_evdisable_disk_eject(context, eject);
    close(null);
    done = 1;
    wake();
    return NULL;
}

int main(int argc, char **argv)
{
    xentoollog_logger_stdiostream *logger;
    static const libxl_childproc_hooks children = { .chldowner = libxl_sigchld_owner_libxl };
    pthread_t worker;

    if (argc != 2 || pipe(wakeup))
        return 2;
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    store_start(argv[1]);
    /* Our hypervisor knows one number of a domain only. */
    setenv("LIBXL_DOMID_REUSE_TIMEOUT", "0", 1);
    logger = xtl_createlogger_stdiostream(stderr, XTL_DEBUG, 0);
    if (libxl_ctx_alloc(&context, LIBXL_VERSION, 0, (xentoollog_logger *)logger))
        return 1;
    libxl_osevent_register_hooks(context, &hooks, NULL);
    libxl_event_register_callbacks(context, &event_hooks, NULL);
    libxl_childproc_setmode(context, &children, NULL);
    if (pthread_create(&worker, NULL, operate, NULL))
        return 1;
    while (!done)
        run_once();
    pthread_join(worker, NULL);
    /* libxl asserts that nothing is left to wait for. */
    if (!operations_left)
        libxl_ctx_free(context);
    xtl_logger_destroy((xentoollog_logger *)logger);
    return 0;
}
