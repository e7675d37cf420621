// The GNU calls that Swift's Glibc module does not show. Each gives -1 and sets errno when it fails.
#pragma once
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { CSYSTEM_RENAME_REPLACE = 0, CSYSTEM_RENAME_NEW = 1, CSYSTEM_RENAME_EXCHANGE = 2 };
enum { CSYSTEM_CAN_INSERT = 1, CSYSTEM_CAN_SHARE = 2 };

/// A stretch of a file and its place on the device, all in bytes.
struct csystem_extent {
  uint64_t logical, physical, length;
};

/// copy_file_range with offsets by value: bytes copied, 0 at the end of the source.
ssize_t csystem_copy_file_range(int source, off_t source_offset, int target, off_t target_offset, size_t count);

/// FICLONERANGE: the target's range shares the source's blocks.
int csystem_share(int source, off_t source_offset, size_t count, int target, off_t target_offset);

/// FALLOC_FL_INSERT_RANGE, FALLOC_FL_COLLAPSE_RANGE.
int csystem_insert_range(int file, off_t offset, off_t length);
int csystem_collapse_range(int file, off_t offset, off_t length);

/// FS_IOC_FIEMAP with FIEMAP_FLAG_SYNC: up to `capacity` extents from an offset on; how many there are.
int csystem_extents(int file, off_t offset, struct csystem_extent *extents, unsigned capacity);

/// What the file's file system can do with blocks, found out on files without a name in the folder: the constants above,
/// and the size of a block. 0 where that cannot be found out.
int csystem_block_abilities(int file, const char *folder, uint64_t *block_size);

/// Whether any other opening of the file exists, in whatever process, or may exist: who neither owns the file nor has
/// the right to leases cannot find out.
int csystem_is_open_elsewhere(int file);

/// renameat2 of paths; `how` is one of the constants above.
int csystem_rename(const char *from, const char *to, int how);

/// Copies every extended attribute that can be copied; fails with the first error it met.
int csystem_copy_attributes(int source, int target);

/// The name in a folder's entry, which Swift sees as 256 numbers.
static inline const char *csystem_name(const struct dirent *entry) { return entry->d_name; }
