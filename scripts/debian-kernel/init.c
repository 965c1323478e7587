// SPDX-License-Identifier: Apache-2.0
/*
 * The only program of the guest. It does what /plan says, a line at a time:
 *
 *   insert FILE [PARAM=VALUE...]    remove NAME
 *   read FILE                       write FILE TEXT        wait MILLISECONDS
 *
 * and tells it to the kernel's log, where what the kernel and its modules say
 * stands in between: "kh> LINE" as it begins, "kh| ..." for each line that was
 * read, "kh= ERRNO" at its end. Where a line fails, what follows is left out
 * (ECANCELED) up to the next module, but no removal. Then it powers the machine off.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int kernel_log;

/* One write to /dev/kmsg is one record. */
static void tell(const char *mark, const char *text)
{
	char record[900];

	int length = snprintf(record, sizeof(record), "kh%s %s", mark, text);
	if (length >= (int)sizeof(record))
		length = sizeof(record) - 1;
	if (write(kernel_log, record, length) < 0)
		reboot(RB_POWER_OFF);
}

static int insert(const char *file, const char *parameters)
{
	int module = open(file, O_RDONLY | O_CLOEXEC);

	if (module < 0)
		return errno;
	int error = syscall(SYS_finit_module, module, parameters, 0) == 0 ? 0 : errno;
	close(module);
	return error;
}

static int read_lines(const char *file)
{
	char *line = NULL;
	size_t room = 0;
	FILE *stream = fopen(file, "r");

	if (stream == NULL)
		return errno;
	errno = 0;
	while (getline(&line, &room, stream) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		tell("|", line);
	}
	int error = errno;
	free(line);
	fclose(stream);
	return error;
}

/* As `echo TEXT >FILE`: in one piece. */
static int write_line(const char *file, const char *text)
{
	char line[256];
	int target = open(file, O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (target < 0)
		return errno;
	int length = snprintf(line, sizeof(line), "%s\n", text);
	int error = write(target, line, length) == length ? 0 : errno;
	close(target);
	return error;
}

static int act(char *line)
{
	char *rest = line;
	char *verb = strsep(&rest, " ");
	char *object = strsep(&rest, " ");
	const char *text = rest == NULL ? "" : rest;

	if (object == NULL)
		return EINVAL;
	if (strcmp(verb, "insert") == 0)
		return insert(object, text);
	if (strcmp(verb, "remove") == 0)
		return syscall(SYS_delete_module, object, O_NONBLOCK) == 0 ? 0 : errno;
	if (strcmp(verb, "read") == 0)
		return read_lines(object);
	if (strcmp(verb, "write") == 0)
		return write_line(object, text);
	if (strcmp(verb, "wait") == 0)
		return usleep(atoi(object) * 1000) == 0 ? 0 : errno;
	return EINVAL;
}

static void prepare(void)
{
	mkdir("/dev", 0755);
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sys", "/sys", "sysfs", 0, NULL);
	mount("debug", "/sys/kernel/debug", "debugfs", 0, NULL);
	mount("trace", "/sys/kernel/tracing", "tracefs", 0, NULL);
	kernel_log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
}

static bool starts(const char *line, const char *verb)
{
	return strncmp(line, verb, strlen(verb)) == 0;
}

int main(void)
{
	char line[256], result[16];
	bool failed = false;
	FILE *plan = fopen("/plan", "r");

	prepare();
	while (plan != NULL && fgets(line, sizeof(line), plan) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		tell(">", line);
		if (starts(line, "insert "))
			failed = false;
		int error = failed && !starts(line, "remove ") ? ECANCELED : act(line);
		failed = failed || error != 0;
		snprintf(result, sizeof(result), "%d", error);
		tell("=", result);
	}
	reboot(RB_POWER_OFF);
	return 1;
}
