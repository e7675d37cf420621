// The GNU calls that Swift's Glibc module does not show. Each gives -1 and sets errno when it fails.
#pragma once
#include <dirent.h>
#include <stddef.h>
#include <sys/types.h>

enum { CSYSTEM_RENAME_REPLACE = 0, CSYSTEM_RENAME_NEW = 1, CSYSTEM_RENAME_EXCHANGE = 2 };

/// copy_file_range with offsets by value: bytes copied, 0 at the end of the source.
ssize_t csystem_copy_file_range(int source, off_t source_offset, int target, off_t target_offset, size_t count);

/// renameat2 of paths; `how` is one of the constants above.
int csystem_rename(const char *from, const char *to, int how);

/// Copies every extended attribute that can be copied; fails with the first error it met.
int csystem_copy_attributes(int source, int target);

/// The name in a folder's entry, which Swift sees as 256 numbers.
static inline const char *csystem_name(const struct dirent *entry) { return entry->d_name; }
