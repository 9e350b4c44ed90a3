/* Loaded before the C library: a file system that lacks what most have. `-DNO_LOCKS=37` lets flock fail with that errno. */
#include <errno.h>

#ifdef NO_LOCKS
int flock(int fd, int operation) { errno = NO_LOCKS; return -1; }
#endif

#ifdef NO_LINKS
int link(const char *from, const char *to) { errno = NO_LINKS; return -1; }
int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags) { errno = NO_LINKS; return -1; }
#endif
