#define _GNU_SOURCE
#include "CSystem.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

ssize_t csystem_copy_file_range(int source, off_t source_offset, int target, off_t target_offset, size_t count) {
  return copy_file_range(source, &source_offset, target, &target_offset, count, 0);
}

int csystem_rename(const char *from, const char *to, int how) {
  if (how == CSYSTEM_RENAME_REPLACE) return rename(from, to);
  return renameat2(AT_FDCWD, from, AT_FDCWD, to, how == CSYSTEM_RENAME_NEW ? RENAME_NOREPLACE : RENAME_EXCHANGE);
}

static int copy_attribute(int source, int target, const char *name, void *value, size_t capacity) {
  ssize_t size = fgetxattr(source, name, value, capacity);
  return size < 0 ? -1 : fsetxattr(target, name, value, (size_t)size, 0);
}

int csystem_copy_attributes(int source, int target) {
  enum { LIMIT = 65536 };  // XATTR_LIST_MAX and XATTR_SIZE_MAX of Linux
  char *names = malloc(2 * LIMIT);
  if (!names) return -1;
  int first_error = 0;
  ssize_t length = flistxattr(source, names, LIMIT);
  if (length < 0) first_error = errno == ENOTSUP ? 0 : errno;  // no attributes here, so none to keep
  for (ssize_t i = 0; i < length; i += (ssize_t)strlen(names + i) + 1)
    if (copy_attribute(source, target, names + i, names + LIMIT, LIMIT) && !first_error) first_error = errno;
  free(names);
  errno = first_error;
  return first_error ? -1 : 0;
}
