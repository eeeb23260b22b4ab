/* Reading the file of peers. */
#include "peers.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define FILE_SIZE_MAX ((size_t)256 * 1024)
#define WORDS_MAX 6 /* of a line */
#define WORDS_LEAST 3

static const struct {
	const char *name;
	unsigned bits;
} services[] = {
	{"echo", RS_SERVICE_VERIFICATION},
	{"store", RS_SERVICE_STORAGE},
	{"private", RS_SERVICE_STORAGE_PRIVATE},
	{"commit", RS_SERVICE_COMMITMENT},
	{"find", RS_SERVICE_FIND},
	{"get", RS_SERVICE_GET},
	{"move", RS_SERVICE_MOVE},
	{"all", RS_SERVICES_ALL},
};

void peers_finish(struct peers *peers)
{
	for (size_t i = 0; i < peers->count; i++) {
		char *syntaxes = NULL;
		memcpy(&syntaxes, &peers->items[i].takes.transfer_syntaxes, sizeof syntaxes);
		rs_free(syntaxes);
	}
	rs_free(peers->items);
	*peers = (struct peers){NULL, 0};
}

static bool parse_title(struct rs_str word, char out[static RS_TITLE_SIZE])
{
	if (word.size >= RS_TITLE_SIZE)
		return false;
	for (size_t i = 0; i < word.size; i++)
		if (word.data[i] < '!' || word.data[i] > '~' || word.data[i] == '\\')
			return false;
	if (rs_str_equal_text(word, "*"))
		word.size = 0;
	memcpy(out, word.data, word.size);
	out[word.size] = '\0';
	return true;
}

/* One form for one address. */
static bool parse_host(struct rs_str word, char out[static PEER_HOST_SIZE])
{
	char text[PEER_HOST_SIZE];
	uint8_t bytes[16];
	if (word.size >= sizeof text)
		return false;
	memcpy(text, word.data, word.size);
	text[word.size] = '\0';
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;
	return inet_pton(family, text, bytes) == 1 && inet_ntop(family, bytes, out, PEER_HOST_SIZE);
}

static bool parse_port(struct rs_str word, unsigned *out)
{
	uint64_t port;
	if (!rs_parse_u64(word, &port) || port == 0 || port > 65535)
		return false;
	*out = (unsigned)port;
	return true;
}

/* "10.0.0.5", "10.0.0.5:104", "::1", "[::1]:104", "*". */
static bool parse_address(struct rs_str word, struct peer *out)
{
	size_t colons = 0, last = 0;
	if (rs_str_equal_text(word, "*"))
		return true;
	for (size_t i = 0; i < word.size; i++)
		if (word.data[i] == ':') {
			colons++;
			last = i;
		}
	struct rs_str port = {word.data + last + 1, word.size - last - 1};
	if (word.size > 2 && word.data[0] == '[') {
		bool has_port = word.data[word.size - 1] != ']';
		size_t end = has_port ? last - 1 : word.size - 1;
		return word.data[end] == ']' &&
		       parse_host((struct rs_str){word.data + 1, end - 1}, out->host) &&
		       (!has_port || parse_port(port, &out->port));
	}
	if (colons == 1)
		return parse_port(port, &out->port) &&
		       parse_host((struct rs_str){word.data, last}, out->host);
	return parse_host(word, out->host);
}

static bool parse_services(struct rs_str word, unsigned *out)
{
	struct rs_str one;
	unsigned found = 0;
	while (rs_str_split(&word, ',', &one)) {
		size_t i = 0;
		while (i < RS_COUNT(services) && !rs_str_equal_text(one, services[i].name))
			i++;
		if (i == RS_COUNT(services))
			return false;
		found |= services[i].bits;
	}
	*out = found;
	return found != 0;
}

static size_t split_words(struct rs_str line, struct rs_str words[static WORDS_MAX + 1])
{
	size_t count = 0, at = 0;
	while (count <= WORDS_MAX) {
		while (at < line.size &&
		       (line.data[at] == ' ' || line.data[at] == '\t' || line.data[at] == '\r'))
			at++;
		size_t start = at;
		while (at < line.size && line.data[at] != ' ' && line.data[at] != '\t' &&
		       line.data[at] != '\r')
			at++;
		if (at == start)
			break;
		words[count++] = (struct rs_str){line.data + start, at - start};
	}
	return count;
}

static bool parse_purpose(struct rs_str word, enum rs_purpose *out)
{
#define ROW(name, number, text, code)                   \
	if (rs_str_equal_text(word, "purpose=" text)) { \
		*out = RS_PURPOSE_##name;               \
		return true;                            \
	}
	RS_PURPOSES(ROW)
#undef ROW
	return false;
}

/* What stands behind the services, in any order. */
static enum rs_code parse_more(struct rs_str word, struct peer *out, struct rs_error *err)
{
	if (rs_str_equal_text(word, "tls")) {
		out->is_tls = true;
		return RS_OK;
	}
	if (parse_purpose(word, &out->purpose))
		return RS_OK;
	if (out->takes.transfer_syntaxes || word.data[0] < '0' || word.data[0] > '9')
		return rs_error_set(
			err, RS_MALFORMED,
			"has something else than transfer syntaxes, tls or purpose=… behind the services");
	out->takes.transfer_syntaxes = rs_str_duplicate(word);
	return out->takes.transfer_syntaxes ? RS_OK : rs_error_memory(err, word.size, "transfer syntaxes");
}

static enum rs_code parse_line(struct rs_str line, size_t number, struct peers *out, struct rs_error *err)
{
	struct rs_str words[WORDS_MAX + 1];
	struct peer *peer = &out->items[out->count];
	size_t count = split_words(line, words);
	if (count == 0 || words[0].data[0] == '#')
		return RS_OK;
	*peer = (struct peer){.port = 0};
	const char *bad =
		count < WORDS_LEAST || count > WORDS_MAX ? "has not three to six words"
		: !parse_title(words[0], peer->title)    ? "begins with no AE title"
		: !parse_address(words[1], peer)         ? "has an address that is no number"
		: !parse_services(words[2], &peer->takes.services)
			? "names a service that is not echo, store, private, commit, find, get, move or all"
			: NULL;
	if (bad)
		return rs_error_set(err, RS_MALFORMED, "line %zu %s", number, bad);
	out->count++; /* what it owns is freed with the others from now on */
	for (size_t i = WORDS_LEAST; i < count; i++) {
		struct rs_error reason = {0};
		if (parse_more(words[i], peer, &reason) != RS_OK)
			return rs_error_set(err, reason.code, "line %zu %s", number, reason.message);
	}
	return RS_OK;
}

enum rs_code peers_parse(struct rs_str text, struct peers *out, struct rs_error *err)
{
	struct peers peers RS_CLEANUP(peers_finish) = {0};
	struct rs_str line;
	peers.items = rs_allocate_array(PEERS_MAX, sizeof *peers.items);
	if (!peers.items)
		return rs_error_memory(err, PEERS_MAX * sizeof *peers.items, "peers");
	for (size_t number = 1; rs_str_split(&text, '\n', &line); number++) {
		if (peers.count == PEERS_MAX)
			return rs_error_set(err, RS_TOO_LARGE, "more than %d peers", PEERS_MAX);
		RS_TRY(parse_line(line, number, &peers, err));
	}
	*out = peers;
	peers = (struct peers){NULL, 0};
	return RS_OK;
}

enum rs_code peers_read(const struct rs_world *world, const char *path, struct peers *out,
                        struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
	if (!path)
		return peers_parse(RS_STR("* * echo,store"), out, err);
	RS_TRY(rs_file_read_all(world, path, FILE_SIZE_MAX, &content, err));
	enum rs_code code = peers_parse(rs_buffer_str(&content), out, err);
	if (code != RS_OK)
		rs_error_context(err, "%s", path);
	return code;
}

const struct peer *peers_find(const struct peers *peers, const char *title, const char *host)
{
	for (size_t i = 0; i < peers->count; i++) {
		const struct peer *peer = &peers->items[i];
		if ((!peer->title[0] || strcmp(peer->title, title) == 0) &&
		    (!peer->host[0] || strcmp(peer->host, host) == 0))
			return peer;
	}
	return NULL;
}

const struct peer *peers_destination(const struct peers *peers, const char *title)
{
	for (size_t i = 0; i < peers->count; i++) {
		const struct peer *peer = &peers->items[i];
		if (peer->port && peer->host[0] && peer->title[0] && strcmp(peer->title, title) == 0)
			return peer;
	}
	return NULL;
}

void peer_address(const struct peer *peer, char out[static PEER_ADDRESS_SIZE])
{
	bool is_v6 = strchr(peer->host, ':') != NULL;
	snprintf(out, PEER_ADDRESS_SIZE, "%s%s%s:%u", is_v6 ? "[" : "", peer->host, is_v6 ? "]" : "",
	         peer->port);
}
