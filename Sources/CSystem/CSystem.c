#define _GNU_SOURCE
#include "CSystem.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

ssize_t csystem_copy_file_range(int source, off_t source_offset, int target, off_t target_offset, size_t count) {
  return copy_file_range(source, &source_offset, target, &target_offset, count, 0);
}

int csystem_share(int source, off_t source_offset, size_t count, int target, off_t target_offset) {
  struct file_clone_range range = {source, (uint64_t)source_offset, count, (uint64_t)target_offset};
  return ioctl(target, FICLONERANGE, &range);
}

int csystem_insert_range(int file, off_t offset, off_t length) {
  return fallocate(file, FALLOC_FL_INSERT_RANGE, offset, length);
}

int csystem_collapse_range(int file, off_t offset, off_t length) {
  return fallocate(file, FALLOC_FL_COLLAPSE_RANGE, offset, length);
}

int csystem_extents(int file, off_t offset, struct csystem_extent *extents, unsigned capacity) {
  struct fiemap *map = calloc(1, sizeof *map + capacity * sizeof *map->fm_extents);
  if (!map) return -1;
  map->fm_start = (uint64_t)offset;
  map->fm_length = FIEMAP_MAX_OFFSET - map->fm_start;
  map->fm_flags = FIEMAP_FLAG_SYNC;
  map->fm_extent_count = capacity;
  int result = ioctl(file, FS_IOC_FIEMAP, map);
  for (unsigned i = 0; !result && i < map->fm_mapped_extents; i++) {
    const struct fiemap_extent *extent = &map->fm_extents[i];
    // Without a place of its own on the device an extent cannot be found again.
    const uint32_t strange = FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_ENCODED | FIEMAP_EXTENT_NOT_ALIGNED;
    if (extent->fe_flags & strange) errno = EOPNOTSUPP, result = -1;
    extents[i] = (struct csystem_extent){extent->fe_logical, extent->fe_physical, extent->fe_length};
  }
  if (!result) result = (int)map->fm_mapped_extents;
  free(map);
  return result;
}

enum { XFS_MAGIC = 0x58465342 };

static int inserts(int file, int probe, const struct statfs *system) {
  // Others know the call too, but may copy the data for it, and recovery relies on how these two do it.
  unsigned flags = 0;
  if (system->f_type == EXT4_SUPER_MAGIC) {
    if (ioctl(file, FS_IOC_GETFLAGS, &flags) || !(flags & FS_EXTENT_FL)) return 0;
  } else if (system->f_type != XFS_MAGIC) {
    return 0;
  }
  return !ftruncate(probe, 2 * system->f_bsize) && !csystem_insert_range(probe, 0, system->f_bsize);
}

int csystem_block_abilities(int file, const char *folder, uint64_t *block_size) {
  struct statfs system;
  if (fstatfs(file, &system)) return -1;
  *block_size = (uint64_t)system.f_bsize;
  int first = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  int second = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  int abilities = 0;
  if (first >= 0 && second >= 0) {
    if (!ioctl(second, FICLONE, first)) abilities |= CSYSTEM_CAN_SHARE;
    if (inserts(file, first, &system)) abilities |= CSYSTEM_CAN_INSERT;
  }
  if (first >= 0) close(first);
  if (second >= 0) close(second);
  return abilities;
}

int csystem_is_open_elsewhere(int file) {
  // A lease is granted to the only opening of a file. It is given back at once; an opening meanwhile sends a signal.
  struct sigaction ignoring = {.sa_handler = SIG_IGN}, before;
  if (sigaction(SIGIO, &ignoring, &before)) return -1;
  int taken = fcntl(file, F_SETLEASE, F_WRLCK);
  int result = taken != 0;
  if (!taken) fcntl(file, F_SETLEASE, F_UNLCK);
  sigaction(SIGIO, &before, NULL);
  return result;
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
