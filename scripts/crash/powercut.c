// What the crash test needs beside Python: a fragmented file, its comparison, and a power cut.
//
//   powercut make FILE HEADER PAIRS       the header, then PAIRS times 8 KiB: a block with its number, and a hole
//   powercut compare FILE HEADER PAIRS    prints "same", or where the file first differs
//   powercut cut FOLDER FILE MICROSECONDS
//                                         waits until FILE has another length, and some microseconds more, then shuts the
//                                         file system of FOLDER down without writing its log; meanwhile another thread
//                                         makes it commit all the time. Gives up after half a minute: prints "idle".
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 4096, NO_LOG_FLUSH = 2, PATIENCE = 30 };
#define SHUTDOWN _IOR('X', 125, uint32_t)  // EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN

static void check(int holds, const char *what) {
  if (holds) return;
  perror(what);
  exit(2);
}

// The two blocks of a pair; the first pair begins with the header.
static void pair(char *bytes, long number, const char *header, size_t count) {
  memset(bytes, 0, 2 * BLOCK);
  for (size_t i = 0; i < BLOCK / sizeof number; i++) memcpy(bytes + i * sizeof number, &number, sizeof number);
  if (number == 0) memcpy(bytes, header, count);
}

static void make(const char *path, const char *header, size_t count, long pairs) {
  int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
  check(file >= 0 && !ftruncate(file, pairs * 2 * BLOCK), path);
  char bytes[2 * BLOCK];
  for (long i = 0; i < pairs; i++) {
    pair(bytes, i, header, count);
    check(pwrite(file, bytes, BLOCK, i * 2 * BLOCK) == BLOCK, "pwrite");
  }
  check(!fsync(file), "fsync");
}

static void compare(const char *path, const char *header, size_t count, long pairs) {
  int file = open(path, O_RDONLY);
  struct stat status;
  check(file >= 0 && !fstat(file, &status), path);
  if (status.st_size != pairs * 2 * BLOCK) {
    printf("%+ld bytes\n", (long)(status.st_size - pairs * 2 * BLOCK));
    return;
  }
  char wanted[2 * BLOCK], found[2 * BLOCK];
  for (long i = 0; i < pairs; i++) {
    pair(wanted, i, header, count);
    check(pread(file, found, sizeof found, i * 2 * BLOCK) == sizeof found, "pread");
    if (!memcmp(wanted, found, sizeof found)) continue;
    printf("differs at pair %ld\n", i);
    return;
  }
  printf("same\n");
}

static volatile int stopped;

static void *commit(void *argument) {
  int file = *(int *)argument;
  char bytes[512] = {0};
  while (!stopped && pwrite(file, bytes, sizeof bytes, 0) == sizeof bytes && !fsync(file)) {}
  return NULL;
}

static void cut(const char *folder, const char *path, long microseconds) {
  char other[4096];
  snprintf(other, sizeof other, "%s/commits", folder);
  int busy = open(other, O_RDWR | O_CREAT, 0644);
  struct stat before, now;
  check(busy >= 0 && !stat(path, &before), path);
  pthread_t thread;
  check(!pthread_create(&thread, NULL, commit, &busy), "pthread_create");
  printf("ready\n");
  fflush(stdout);
  time_t end = time(NULL) + PATIENCE;
  int moved = 0;
  while (!moved && time(NULL) < end) moved = !stat(path, &now) && now.st_size != before.st_size;
  if (moved) {
    struct timespec delay = {0, microseconds * 1000};
    nanosleep(&delay, NULL);
    uint32_t flag = NO_LOG_FLUSH;
    check(!ioctl(busy, SHUTDOWN, &flag), "shutdown");
  }
  stopped = 1;
  pthread_join(thread, NULL);
  printf(moved ? "cut\n" : "idle\n");
}

int main(int count, char **arguments) {
  if (count != 5) return 64;
  const char *command = arguments[1], *path = arguments[2];
  if (!strcmp(command, "cut")) {
    cut(path, arguments[3], atol(arguments[4]));
    return 0;
  }
  char header[BLOCK];
  FILE *file = fopen(arguments[3], "rb");
  check(file != NULL, arguments[3]);
  size_t length = fread(header, 1, sizeof header, file);
  (strcmp(command, "make") ? compare : make)(path, header, length, atol(arguments[4]));
  return 0;
}
