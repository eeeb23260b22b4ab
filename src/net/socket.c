/* "host:port" to sockets. */
#include "net/net_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ADDRESS_MAX 256
#define BACKLOG 256

/* "host:port" or "[v6]:port", for getaddrinfo(). */
static enum rs_code look_up(struct rs_str address, int flags, struct addrinfo **out, struct rs_error *err)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};
	char host[ADDRESS_MAX];
	size_t colon = address.size;
	while (colon > 0 && address.data[colon - 1] != ':')
		colon--;
	if (colon < 2 || address.size >= sizeof host)
		return rs_error_set(err, RS_USAGE, "'" RS_STR_FORMAT "' is not host:port",
		                    RS_STR_ARGUMENTS(address));
	memcpy(host, address.data, address.size);
	host[address.size] = '\0';
	host[colon - 1] = '\0';
	char *name = host;
	if (host[0] == '[' && colon > 2 && host[colon - 2] == ']') {
		host[colon - 2] = '\0';
		name = host + 1;
	}
	int failed = getaddrinfo(name, host + colon, &hints, out);
	return failed ? rs_error_set(err, RS_IO, RS_STR_FORMAT ": %s", RS_STR_ARGUMENTS(address),
	                             gai_strerror(failed))
	              : RS_OK;
}

enum rs_code rs_socket_listen(const char *address, int *out, struct rs_error *err)
{
	struct addrinfo *found;
	int one = 1;
	RS_TRY(look_up(rs_str_from(address), AI_PASSIVE, &found, err));
	int made = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool bound = made >= 0 && setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
	             bind(made, found->ai_addr, found->ai_addrlen) == 0 && listen(made, BACKLOG) == 0;
	int failed = errno;
	freeaddrinfo(found);
	if (!bound) {
		if (made >= 0)
			close(made);
		return rs_error_errno(err, failed, "listening on %s", address);
	}
	*out = made;
	return RS_OK;
}

unsigned rs_socket_port(int socket)
{
	struct sockaddr_storage bound = {.ss_family = AF_UNSPEC};
	socklen_t size = sizeof bound;
	if (getsockname(socket, (struct sockaddr *)&bound, &size) != 0)
		return 0;
	return ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
	                                         : ((struct sockaddr_in *)&bound)->sin_port);
}

static bool finish_connecting(int made, unsigned timeout_ms)
{
	struct pollfd polled = {.fd = made, .events = POLLOUT};
	int failed = 0;
	socklen_t size = sizeof failed;
	if (errno != EINPROGRESS)
		return false;
	if (poll(&polled, 1, (int)timeout_ms) != 1) {
		errno = ETIMEDOUT;
		return false;
	}
	if (getsockopt(made, SOL_SOCKET, SO_ERROR, &failed, &size) != 0)
		return false;
	errno = failed;
	return failed == 0;
}

static int connect_to(const struct addrinfo *address, unsigned timeout_ms)
{
	const struct timeval patience = {timeout_ms / 1000, (suseconds_t)(timeout_ms % 1000) * 1000};
	int made = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (made < 0)
		return -1;
	if ((connect(made, address->ai_addr, address->ai_addrlen) == 0 ||
	     finish_connecting(made, timeout_ms)) &&
	    fcntl(made, F_SETFL, 0) == 0 &&
	    setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
	    setsockopt(made, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0)
		return made;
	int failed = errno;
	close(made);
	errno = failed;
	return -1;
}

enum rs_code rs_socket_connect(struct rs_str address, unsigned timeout_ms, int *out, struct rs_error *err)
{
	struct addrinfo *found;
	int made = -1;
	RS_TRY(look_up(address, 0, &found, err));
	for (const struct addrinfo *at = found; at && made < 0; at = at->ai_next)
		made = connect_to(at, timeout_ms);
	int failed = errno;
	freeaddrinfo(found);
	if (made < 0)
		return rs_error_errno(err, failed, RS_STR_FORMAT, RS_STR_ARGUMENTS(address));
	*out = made;
	return RS_OK;
}
