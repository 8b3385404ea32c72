/* Ends the process at the k-th change that it makes to files in one folder.
 *
 * Preloaded (LD_PRELOAD) into the process under test. COSTOPT_FAULT_FOLDER names the folder,
 * COSTOPT_FAULT_AT the number k (0 or nothing: never), and COSTOPT_FAULT_COUNT a file that is told
 * how many changes there were when the process ends by itself. Changes are writes, syncs,
 * truncations, renames and removals. With COSTOPT_FAULT_TORN the first half of a write that is the
 * k-th change still happens.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long changes;

static int inside(const char *path) {
    const char *folder = getenv("COSTOPT_FAULT_FOLDER");
    return folder != NULL && path != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

static int opened_inside(int descriptor) {
    char link[64], path[PATH_MAX];
    if (getenv("COSTOPT_FAULT_FOLDER") == NULL) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return inside(path);
}

/* Counts a change; returns 1 where this one is to be the last. */
static int last(void) {
    const char *at = getenv("COSTOPT_FAULT_AT");
    long number = atomic_fetch_add(&changes, 1) + 1;
    return at != NULL && atol(at) == number;
}

static void end(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define WRITES(name, more, ...)                                                          \
    if (opened_inside(descriptor) && last()) {                                           \
        if (getenv("COSTOPT_FAULT_TORN") != NULL)                                        \
            REAL(name)(descriptor, data, size / 2 __VA_ARGS__);                          \
        end();                                                                           \
    }                                                                                    \
    return REAL(name)(descriptor, data, size __VA_ARGS__);

ssize_t write(int descriptor, const void *data, size_t size) { WRITES(write, 0) }

ssize_t pwrite(int descriptor, const void *data, size_t size, off_t place) {
    WRITES(pwrite, 0, , place)
}

ssize_t pwrite64(int descriptor, const void *data, size_t size, off64_t place) {
    WRITES(pwrite64, 0, , place)
}

#define CHANGES(name, is_inside, ...)                                                    \
    if ((is_inside) && last()) end();                                                    \
    return REAL(name)(__VA_ARGS__);

int fsync(int descriptor) { CHANGES(fsync, opened_inside(descriptor), descriptor) }
int fdatasync(int descriptor) { CHANGES(fdatasync, opened_inside(descriptor), descriptor) }
int ftruncate(int descriptor, off_t size) {
    CHANGES(ftruncate, opened_inside(descriptor), descriptor, size)
}
int ftruncate64(int descriptor, off64_t size) {
    CHANGES(ftruncate64, opened_inside(descriptor), descriptor, size)
}
int unlink(const char *path) { CHANGES(unlink, inside(path), path) }
int rename(const char *from, const char *to) { CHANGES(rename, inside(from), from, to) }

__attribute__((destructor)) static void tell(void) {
    const char *path = getenv("COSTOPT_FAULT_COUNT");
    if (path == NULL) return;
    FILE *file = fopen(path, "w");
    if (file == NULL) return;
    fprintf(file, "%ld\n", atomic_load(&changes));
    fclose(file);
}
