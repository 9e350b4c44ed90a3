// LD_PRELOAD: fails the first BROKEN_WRITES writes of a JSON document, in the middle and with an
// I/O error.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

static int is_to_break(const void *data, size_t size) {
  static int left = -1;
  if (left < 0) {
    const char *text = getenv("BROKEN_WRITES");
    left = text ? atoi(text) : 0;
  }
  return size > 100 && *(const char *)data == '{' && left > 0 && left--;
}

ssize_t pwrite64(int file, const void *data, size_t size, off_t position) {
  ssize_t (*next)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, "pwrite64");
  if (!is_to_break(data, size)) return next(file, data, size, position);
  next(file, data, size / 2, position);
  errno = EIO;
  return -1;
}

ssize_t pwrite(int file, const void *data, size_t size, off_t position) { return pwrite64(file, data, size, position); }

ssize_t pwritev64(int file, const struct iovec *parts, int count, off_t position) {
  ssize_t (*next)(int, const struct iovec *, int, off_t) = dlsym(RTLD_NEXT, "pwritev64");
  // Callers that write parts check for short writes.
  return count == 1 ? pwrite64(file, parts->iov_base, parts->iov_len, position) : next(file, parts, count, position);
}

ssize_t pwritev(int file, const struct iovec *parts, int count, off_t position) { return pwritev64(file, parts, count, position); }
