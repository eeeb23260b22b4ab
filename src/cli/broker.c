/* The broker's configuration, access list and certificates. */
#include "broker.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "crypto/crypto_certificate.h"
#include "envelope/envelope_mqtt.h"

#define PEM_MAX ((size_t)16384)
#define CONF_MAX ((size_t)16384)
#define LIST_MAX ((size_t)16 << 20)
#define AUTHORITY_DAYS 3650
#define MACHINE_DAYS 825
#define PORT 8883
#define HOSTS_MAX 1000

struct pair {
	struct rs_buffer certificate, key;
};

static void pair_init(struct pair *pair)
{
	rs_buffer_init(&pair->certificate, PEM_MAX);
	rs_buffer_init(&pair->key, PEM_MAX);
}

static void pair_finish(struct pair *pair)
{
	rs_buffer_finish(&pair->certificate);
	rs_wipe(pair->key.data, pair->key.size);
	rs_buffer_finish(&pair->key);
}

static enum rs_code write_in(const char *directory, const char *name, struct rs_bytes content,
                             struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = rs_path_join(directory, name);
	if (!path)
		return rs_error_memory(err, strlen(name), "a path");
	return rs_file_replace(rs_world_system(), path, content, 0600, err);
}

static enum rs_code write_pair(const char *directory, const char *name, const struct pair *pair,
                               struct rs_error *err)
{
	char file[RS_DEVICE_NAME_MAX + 8];
	(void)snprintf(file, sizeof file, "%s.key", name);
	RS_TRY(write_in(directory, file, rs_buffer_bytes(&pair->key), err));
	(void)snprintf(file, sizeof file, "%s.pem", name);
	return write_in(directory, file, rs_buffer_bytes(&pair->certificate), err);
}

static enum rs_code issue(const char *directory, enum rs_certificate_kind kind, const char *file,
                          const char *name, const char *hosts, const struct pair *authority,
                          struct rs_error *err)
{
	struct pair pair RS_CLEANUP(pair_finish) = {.key = {0}};
	const struct rs_certificate_request request = {.kind = kind,
	                                               .name = name,
	                                               .hosts = hosts,
	                                               .days = MACHINE_DAYS,
	                                               .now_ms = rs_world_now_ms(rs_world_system()),
	                                               .authority = rs_buffer_bytes(&authority->certificate),
	                                               .authority_key = rs_buffer_bytes(&authority->key)};
	pair_init(&pair);
	RS_TRY(rs_certificate_make(&request, &pair.certificate, &pair.key, err));
	return write_pair(directory, file, &pair, err);
}

/* "a.example,10.0.0.7" as X.509 wants it. */
static enum rs_code name_hosts(const char *hosts, struct rs_buffer *out, struct rs_error *err)
{
	rs_buffer_init(out, HOSTS_MAX);
	for (const char *at = hosts; *at;) {
		size_t size = strcspn(at, ",");
		bool is_address = strspn(at, "0123456789.") == size || memchr(at, ':', size);
		if (size > 0)
			rs_buffer_printf(out, "%s%s:%.*s", out->size ? "," : "", is_address ? "IP" : "DNS",
			                 (int)size, at);
		at += size + (at[size] == ',');
	}
	rs_buffer_append_u8(out, 0);
	return rs_buffer_check(out, "the broker's names", err);
}

/* mosquitto run by root becomes another user, who cannot read a node's files, unless it is told to stay. */
static const char *own_name(void)
{
	const struct passwd *self = getpwuid(geteuid());
	return self ? self->pw_name : "mosquitto";
}

static enum rs_code write_configuration(const char *directory, struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&text, CONF_MAX);
	rs_buffer_printf(
		&text,
		"# mosquitto for radseal: devices publish, the node answers, both with certificates.\n"
		"# Start it: mosquitto -c %s/mosquitto.conf\n"
		"per_listener_settings false\n"
		"listener %d\n"
		"cafile %s/ca.pem\ncertfile %s/broker.pem\nkeyfile %s/broker.key\n"
		"# Who was revoked; after radseal device certificate NAME --revoke send mosquitto SIGHUP.\n"
		"crlfile %s/crl.pem\n"
		"tls_version tlsv1.3\n"
		"require_certificate true\nuse_identity_as_username true\nallow_anonymous false\n"
		"acl_file %s/acl\n"
		"user %s\n"
		"persistence true\npersistence_location %s/\nautosave_interval 60\n"
		"# What is larger than a chunk or an envelope is none of radseal's.\n"
		"max_packet_size %zu\n"
		"# A node that is away: so much waits for it; devices send again what did not fit.\n"
		"max_queued_bytes 1073741824\nmax_queued_messages 0\nmax_inflight_messages 100\n"
		"set_tcp_nodelay true\n",
		directory, PORT, directory, directory, directory, directory, directory, own_name(), directory,
		RS_MQTT_CHUNK_MAX + 4096);
	RS_TRY(rs_buffer_check(&text, "mosquitto.conf", err));
	RS_TRY(write_in(directory, "mosquitto.conf", rs_buffer_bytes(&text), err));
	rs_buffer_clear(&text);
	rs_buffer_printf(
		&text,
		"# A device publishes under its own name, the common name of its certificate, and reads its receipts.\n"
		"pattern write " RS_MQTT_PREFIX "%%u/envelope\n"
		"pattern write " RS_MQTT_PREFIX "%%u/chunk/+/+\n"
		"pattern read " RS_MQTT_PREFIX "%%u/receipt\n"
		"\nuser " RS_MQTT_NODE "\n"
		"topic read " RS_MQTT_PREFIX "+/envelope\n"
		"topic read " RS_MQTT_PREFIX "+/chunk/+/+\n"
		"topic write " RS_MQTT_PREFIX "+/receipt\n");
	RS_TRY(rs_buffer_check(&text, "acl", err));
	return write_in(directory, "acl", rs_buffer_bytes(&text), err);
}

/* The list of what is revoked, with `revoked` (PEM; may be empty) on it. */
static enum rs_code write_revocations(const char *directory, const struct pair *authority,
                                      struct rs_bytes earlier, struct rs_bytes revoked, struct rs_error *err)
{
	struct rs_buffer list RS_CLEANUP(rs_buffer_finish) = {0};
	const struct rs_revocations_request request = {.authority = rs_buffer_bytes(&authority->certificate),
	                                               .authority_key = rs_buffer_bytes(&authority->key),
	                                               .earlier = earlier,
	                                               .revoked = revoked,
	                                               .now_ms = rs_world_now_ms(rs_world_system()),
	                                               .days = AUTHORITY_DAYS};
	rs_buffer_init(&list, LIST_MAX);
	RS_TRY(rs_revocations_make(&request, &list, err));
	return write_in(directory, "crl.pem", rs_buffer_bytes(&list), err);
}

enum rs_code broker_make(const char *home, const char *hosts, struct rs_error *err)
{
	struct pair authority RS_CLEANUP(pair_finish) = {.key = {0}};
	struct rs_buffer names RS_CLEANUP(rs_buffer_finish) = {0};
	char *joined RS_CLEANUP(rs_free_pointer) = rs_path_join(home, "mqtt");
	if (!joined)
		return rs_error_memory(err, strlen(home), "a path");
	if (rs_path_exists(rs_world_system(), joined))
		return rs_error_set(err, RS_EXISTS, "%s is there already; remove it to make another", joined);
	const struct rs_certificate_request request = {.kind = RS_CERTIFICATE_AUTHORITY,
	                                               .name = "radseal devices",
	                                               .days = AUTHORITY_DAYS,
	                                               .now_ms = rs_world_now_ms(rs_world_system())};
	RS_TRY(name_hosts(hosts, &names, err));
	pair_init(&authority);
	RS_TRY(rs_certificate_make(&request, &authority.certificate, &authority.key, err));
	RS_TRY(rs_directory_make(rs_world_system(), joined, err));
	char *directory RS_CLEANUP(rs_free_pointer) = realpath(joined, NULL);
	if (!directory)
		return rs_error_set(err, RS_IO, "%s cannot be found", joined);
	RS_TRY(write_pair(directory, "ca", &authority, err));
	RS_TRY(issue(directory, RS_CERTIFICATE_SERVER, "broker", "radseal broker", (const char *)names.data,
	             &authority, err));
	RS_TRY(issue(directory, RS_CERTIFICATE_CLIENT, "node", RS_MQTT_NODE, NULL, &authority, err));
	RS_TRY(write_revocations(directory, &authority, rs_bytes_of("", 0), rs_bytes_of("", 0), err));
	return write_configuration(directory, err);
}

static enum rs_code read_authority(const char *home, struct pair *out, struct rs_error *err)
{
	char *certificate RS_CLEANUP(rs_free_pointer) = rs_path_join(home, "mqtt/ca.pem");
	char *key RS_CLEANUP(rs_free_pointer) = rs_path_join(home, "mqtt/ca.key");
	if (!certificate || !key)
		return rs_error_memory(err, strlen(home), "a path");
	if (!rs_path_exists(rs_world_system(), certificate))
		return rs_error_set(err, RS_NOT_FOUND, "%s is missing; make it with radseal init --mqtt",
		                    certificate);
	RS_TRY(rs_file_read_all(rs_world_system(), certificate, PEM_MAX, &out->certificate, err));
	return rs_file_read_all(rs_world_system(), key, PEM_MAX, &out->key, err);
}

static enum rs_code check_name(const char *device, struct rs_error *err)
{
	if (rs_device_name_valid(rs_str_from(device)) && strcmp(device, RS_MQTT_NODE) != 0)
		return RS_OK;
	return rs_error_set(err, RS_USAGE,
	                    "'%s' is no name of a device: 1 to %d letters, digits, '-', '_' or '.'", device,
	                    RS_DEVICE_NAME_MAX);
}

enum rs_code broker_certify(const char *home, const char *device, struct rs_error *err)
{
	struct pair authority RS_CLEANUP(pair_finish) = {.key = {0}};
	char *directory RS_CLEANUP(rs_free_pointer) = rs_path_join(home, "mqtt/devices");
	if (!directory)
		return rs_error_memory(err, strlen(home), "a path");
	RS_TRY(check_name(device, err));
	RS_TRY(read_authority(home, &authority, err));
	RS_TRY(rs_directory_make(rs_world_system(), directory, err));
	return issue(directory, RS_CERTIFICATE_CLIENT, device, device, NULL, &authority, err);
}

enum rs_code broker_revoke(const char *home, const char *device, struct rs_error *err)
{
	struct pair authority RS_CLEANUP(pair_finish) = {.key = {0}};
	struct rs_buffer revoked RS_CLEANUP(rs_buffer_finish) = {0},
				 earlier RS_CLEANUP(rs_buffer_finish) = {0};
	char *directory RS_CLEANUP(rs_free_pointer) = rs_path_join(home, "mqtt");
	char *list RS_CLEANUP(rs_free_pointer) = rs_path_join(home, "mqtt/crl.pem");
	char *certificate RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s/mqtt/devices/%s.pem", home,
	                                                               device);
	if (!directory || !list || !certificate)
		return rs_error_memory(err, strlen(home), "a path");
	RS_TRY(check_name(device, err));
	RS_TRY(read_authority(home, &authority, err));
	RS_TRY(rs_file_read_all(rs_world_system(), certificate, PEM_MAX, &revoked, err));
	if (rs_path_exists(rs_world_system(), list))
		RS_TRY(rs_file_read_all(rs_world_system(), list, LIST_MAX, &earlier, err));
	return write_revocations(directory, &authority, rs_buffer_bytes(&earlier), rs_buffer_bytes(&revoked),
	                         err);
}
