/* For LD_PRELOAD: the program lives LATER_SECONDS later than the rest of the world. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *out)
{
	const char *later = getenv("LATER_SECONDS");
	int result = (int)syscall(SYS_clock_gettime, clock, out);
	if (result == 0 && clock == CLOCK_REALTIME && later)
		out->tv_sec += strtol(later, NULL, 10);
	return result;
}
