/* radseal serve: the node's doors to a network. */
#include <signal.h>
#include <stdio.h>

#include "gateway/gateway.h"
#include "gateway/gateway_mqtt.h"
#include "session.h"
#include "web/web.h"
#include "web/web_people.h"
#include "web/web_tokens.h"

#define DEFAULT_ASSOCIATIONS 100
#define ASSOCIATIONS_MAX 20000
#define DEFAULT_IDLE_S 300
#define IDLE_S_MAX (7 * 24 * 3600)
#define MEMORY_MAX ((size_t)256 << 20)
#define CONNECTIONS_MAX 10000
#define DEFAULT_CONNECTIONS 200
#define CONNECTIONS_OF_ADDRESS 4 /* of all connections, one address may have one in so many */
#define MINUTE_MS ((uint64_t)60000)
#define HOUR_MS (60 * MINUTE_MS)
#define SESSION_MINUTES_MAX 240
#define SESSION_HOURS_MAX 24
#define POOL_THREADS 4 /* wait for the disk side by side: index, objects, keys */

static atomic_bool is_broker_met;
static volatile sig_atomic_t stop, hangups;

static void on_signal(int number RS_UNUSED) { stop = 1; }
static void on_hangup(int number RS_UNUSED) { hangups = (hangups + 1) & 0xff; }

static enum rs_code read_options(const struct command_line *line, const struct rs_log *log,
                                 struct rs_gateway_options *out, struct rs_error *err)
{
	const char *title = option_value(line, "ae");
	uint64_t associations, idle_s;
	RS_TRY(option_u64(line, "associations", DEFAULT_ASSOCIATIONS, ASSOCIATIONS_MAX, &associations, err));
	RS_TRY(option_u64(line, "idle", DEFAULT_IDLE_S, IDLE_S_MAX, &idle_s, err));
	*out = (struct rs_gateway_options){
		.dicom = option_value(line, "dicom"),
		.dicom_tls = option_value(line, "dicom-tls"),
		.ae_title = title ? title : "RADSEAL",
		.certificate = option_value(line, "certificate"),
		.key = option_value(line, "certificate-key"),
		.authorities = option_value(line, "authorities"),
		.revocations = option_value(line, "revocations"),
		.hangups = &hangups,
		.peers = option_value(line, "peers"),
		.associations_max = (unsigned)associations,
		.idle_s = (unsigned)idle_s,
		.memory_max = MEMORY_MAX,
		.log = log,
	};
	if (!out->dicom && !out->dicom_tls && !option_value(line, "http") && !option_value(line, "https") &&
	    !option_value(line, "mqtt"))
		return rs_error_set(
			err, RS_USAGE,
			"serve: name where to listen: --dicom, --dicom-tls, --http or --https HOST:PORT, or --mqtt");
	return RS_OK;
}

/* What serves HTTP, and who may ask. */
struct http {
	struct rs_web_tokens *tokens;
	struct rs_node *node; /* the people's */
	struct rs_node *rest; /* of REST alone; borrowed */
	struct rs_web_people *people;
	struct rs_collector *syslog, *collector; /* collector: the first of them, with the other behind it */
	struct rs_web_authenticator authenticators[1 + RS_WEB_PEOPLE_AUTHENTICATORS];
	struct rs_web *web;
};

static void http_close(struct http *http)
{
	rs_web_close(http->web);
	if (http->collector != http->syslog)
		rs_collector_close(http->collector);
	rs_collector_close(http->syslog);
	rs_web_people_close(http->people);
	rs_node_close(http->node);
	rs_web_tokens_free(http->tokens);
}

static enum rs_code people_open(const struct command_line *line, struct rs_web_options *options,
                                struct http *out, struct rs_error *err)
{
	uint64_t idle_min, lifetime_h;
	size_t count;
	RS_TRY(option_u64(line, "session-idle", RS_SESSION_IDLE_MS / MINUTE_MS, SESSION_MINUTES_MAX,
	                  &idle_min, err));
	RS_TRY(option_u64(line, "session-hours", RS_SESSION_LIFETIME_MS / HOUR_MS, SESSION_HOURS_MAX,
	                  &lifetime_h, err));
	if (idle_min == 0 || lifetime_h == 0)
		return rs_error_set(err, RS_USAGE, "serve: sessions that end at once are none");
	if (!option_given(line, "http-accounts") && !option_given(line, "http-identities"))
		return RS_OK;
	RS_TRY(session_node(line, RS_NODE_READ, NULL, &out->node, err));
	const struct rs_web_people_options people = {
		.node = out->node,
		.accounts = option_given(line, "http-accounts"),
		.identities = option_value(line, "http-identities"),
		.idle_ms = idle_min * MINUTE_MS,
		.lifetime_ms = lifetime_h * HOUR_MS,
	};
	RS_TRY(rs_web_people_open(&people, &out->people, err));
	rs_web_people_authenticators(out->people, out->authenticators + options->authenticator_count, &count);
	options->authenticator_count += count;
	options->people = out->people;
	return RS_OK;
}

static enum rs_code collector_open(const struct command_line *line, const char *name, const char *authorities,
                                   struct rs_gateway *gateway, const struct rs_log *log,
                                   struct rs_collector *next, struct rs_collector **out, struct rs_error *err)
{
	const struct rs_collector_options options = {
		.address = option_value(line, name),
		.authorities = option_value(line, authorities),
		.certificate = option_value(line, "certificate"),
		.key = option_value(line, "certificate-key"),
		.log = log,
		.next = next,
	};
	*out = next;
	return options.address ? rs_collector_open(gateway, &options, out, err) : RS_OK;
}

static enum rs_code collectors_open(const struct command_line *line, struct rs_gateway *gateway,
                                    const struct rs_log *log, struct http *out, struct rs_error *err)
{
	const char *events = option_value(line, "fhir-audit");
	if (events && !rs_str_starts_with(rs_str_from(events), "https://"))
		return rs_error_set(err, RS_USAGE, "--fhir-audit '%s': https://host/path is needed", events);
	RS_TRY(collector_open(line, "syslog", "syslog-authorities", gateway, log, NULL, &out->syslog, err));
	return collector_open(line, "fhir-audit", "fhir-audit-authorities", gateway, log, out->syslog,
	                      &out->collector, err);
}

static enum rs_code http_open(const struct command_line *line, struct rs_node *node,
                              const struct rs_actor *actor, struct rs_gateway *gateway,
                              const struct rs_log *log, struct http *out, struct rs_error *err)
{
	const char *tokens = option_value(line, "http-tokens");
	uint64_t connections;
	RS_TRY(option_u64(line, "connections", DEFAULT_CONNECTIONS, CONNECTIONS_MAX, &connections, err));
	struct rs_web_options options = {
		.http = option_value(line, "http"),
		.https = option_value(line, "https"),
		.is_proxied = option_given(line, "http-proxied"),
		.origins = option_value(line, "http-origins"),
		.certificate = option_value(line, "certificate"),
		.key = option_value(line, "certificate-key"),
		.authorities = option_value(line, "authorities"),
		.revocations = option_value(line, "revocations"),
		.hangups = &hangups,
		.authenticators = out->authenticators,
		.rest_node = out->rest,
		.connections_max = (unsigned)connections,
		.connections_of_address_max = (unsigned)(connections + CONNECTIONS_OF_ADDRESS - 1) /
	                                      CONNECTIONS_OF_ADDRESS,
		.is_broker_met = option_given(line, "mqtt") ? &is_broker_met : NULL,
		.log = log,
	};
	RS_TRY(collectors_open(line, gateway, log, out, err));
	options.collector = out->collector;
	if (!options.http && !options.https)
		return RS_OK;
	if (tokens) {
		RS_TRY(rs_web_tokens_read(node, actor, tokens, &out->tokens, err));
		out->authenticators[options.authenticator_count++] = rs_web_tokens_authenticator(out->tokens);
	}
	RS_TRY(people_open(line, &options, out, err));
	return rs_web_open(node, gateway, &options, &stop, &out->web, err);
}

/* The node's files below mqtt/, as radseal init --mqtt makes them, unless others are named. */
static enum rs_code mqtt_open(const struct command_line *line, struct rs_gateway *gateway,
                              const struct rs_log *log, struct rs_mqtt **out, struct rs_error *err)
{
	static const char *const names[] = {"mqtt/node.pem", "mqtt/node.key", "mqtt/ca.pem"};
	char *paths[RS_COUNT(names)] = {NULL};
	struct rs_mqtt_options options = {.address = option_value(line, "mqtt"),
	                                  .certificate = option_value(line, "mqtt-certificate"),
	                                  .key = option_value(line, "mqtt-key"),
	                                  .authorities = option_value(line, "mqtt-authorities"),
	                                  .log = log,
	                                  .is_connected = &is_broker_met};
	const char **files[RS_COUNT(names)] = {&options.certificate, &options.key, &options.authorities};
	enum rs_code code = RS_OK;
	if (!options.address)
		return RS_OK;
	for (size_t i = 0; code == RS_OK && i < RS_COUNT(names); i++) {
		paths[i] = rs_path_join(session_home(line), names[i]);
		if (!paths[i])
			code = rs_error_memory(err, 1, "a path");
		else if (!*files[i] && rs_path_exists(rs_world_system(), paths[i]))
			*files[i] = paths[i];
	}
	if (code == RS_OK)
		code = rs_mqtt_open(&options, rs_gateway_reception(gateway), out, err);
	for (size_t i = 0; i < RS_COUNT(names); i++)
		rs_free(paths[i]);
	return code;
}

static void print_ports(const struct rs_gateway *gateway, const struct rs_web *web)
{
	static const char *const names[] = {"dicom", "dicom-tls", "http", "https"};
	unsigned ports[RS_COUNT(names)] = {0};
	rs_gateway_ports(gateway, ports);
	if (web)
		rs_web_ports(web, ports + RS_GATEWAY_PORT_COUNT);
	for (size_t i = 0; i < RS_COUNT(names); i++)
		if (ports[i])
			printf("%s %u\n", names[i], ports[i]);
	fflush(stdout);
}

/* Before the one of the doors, which has the lock from then on until something waits for it. */
static enum rs_code rest_open(const struct command_line *line, struct rs_node **out, struct rs_error *err)
{
	if (!option_given(line, "http") && !option_given(line, "https"))
		return RS_OK;
	RS_TRY(session_node(line, RS_NODE_WRITE, NULL, out, err));
	rs_node_rest(*out);
	return RS_OK;
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_pool *pool RS_CLEANUP(session_pool_destroy) = NULL;
	struct rs_node *rest RS_CLEANUP(session_node_close) = NULL;
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL;
	struct rs_actor *actor RS_CLEANUP(rs_actor_close_pointer) = NULL;
	const struct rs_log log = {option_given(line, "quiet") ? NULL : stderr, RS_LOG_INFO,
	                           rs_world_system()->clock};
	struct sigaction action = {.sa_handler = on_signal};
	struct rs_gateway_options options;
	struct rs_gateway *gateway;
	struct http http = {.tokens = NULL};
	struct rs_mqtt *mqtt = NULL;
	if (line->operand_count > 0)
		return rs_error_set(err, RS_USAGE, "serve takes no operand");
	RS_TRY(read_options(line, &log, &options, err));
	RS_TRY(rs_pool_create(POOL_THREADS, &pool, err));
	RS_TRY(rest_open(line, &rest, err));
	RS_TRY(session_node(line, RS_NODE_WRITE, pool, &node, err));
	RS_TRY(session_actor(line, node, &actor, err));
	RS_TRY(rs_gateway_open(node, actor, &options, &gateway, err));
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	action.sa_handler = on_hangup;
	sigaction(SIGHUP, &action, NULL);
	http.rest = rest;
	enum rs_code code = http_open(line, node, actor, gateway, &log, &http, err);
	if (code == RS_OK)
		code = mqtt_open(line, gateway, &log, &mqtt, err);
	if (code == RS_OK) {
		print_ports(gateway, http.web);
		code = rs_gateway_run(gateway, &stop, err);
	}
	rs_mqtt_close(mqtt);
	http_close(&http);
	enum rs_code ended = rs_gateway_close(gateway, code == RS_OK ? err : NULL);
	return code == RS_OK ? ended : code;
}

static const struct option options[] = {
	{"dicom", "HOST:PORT", "listen there for DICOM associations; port 0 takes a free one and prints it"},
	{"dicom-tls", "HOST:PORT", "the same over TLS 1.2 or 1.3"},
	{"ae", "TITLE", "the AE title peers have to call (default RADSEAL)"},
	{"peers", "FILE", "who may associate and for what: lines of AE title, address, services"},
	{"certificate", "FILE", "for TLS: our certificate and those above it, PEM"},
	{"certificate-key", "FILE", "for TLS: its key, PEM"},
	{"authorities", "FILE", "for TLS: peers must have a certificate of one of these, PEM"},
	{"revocations", "FILE", "lists of certificates that these revoked, PEM; SIGHUP reads them again"},
	{"http", "HOST:PORT", "listen there for HTTP: on the loopback, or --http-proxied"},
	{"http-proxied", NULL, "--http may be elsewhere: what is in front of it speaks TLS"},
	{"http-origins", "LIST",
         "origins of web pages elsewhere that may ask, with commas: https://viewer.example (CORS)"},
	{"https", "HOST:PORT", "the same over TLS 1.2 or 1.3"},
	{"http-tokens", "FILE", "who may ask: lines of a token's SHA-256, member, rights, purpose"},
	{"http-accounts", NULL, "who has an account (radseal account) may log in: POST /api/v1/login"},
	{"http-identities", "FILE",
         "identity providers, and whose tokens and certificates are which member's"},
	{"session-idle", "MINUTES", "a session ends after so much silence (default 15)"},
	{"session-hours", "HOURS", "and after so long in any case (default 12)"},
	{"syslog", "HOST:PORT", "audit messages (IHE ATNA) go there, by syslog over TLS, each at least once"},
	{"syslog-authorities", "FILE", "who may have signed its certificate, PEM; otherwise the system's"},
	{"fhir-audit", "URL", "the same as FHIR AuditEvents, by POST to https://host/path/AuditEvent"},
	{"fhir-audit-authorities", "FILE",
         "who may have signed its certificate, PEM; otherwise the system's"},
	{"connections", "N", "of HTTP at once (default 200), a quarter of them from one address"},
	{"associations", "N", "at once (default 100); more are rejected"},
	{"mqtt", "HOST:PORT",
         "take what devices publish at this broker, over TLS 1.3 with the certificates of DIR/mqtt"},
	{"mqtt-certificate", "FILE", "another certificate for the broker, PEM"},
	{"mqtt-key", "FILE", "its key"},
	{"mqtt-authorities", "FILE", "the broker's certificate must be of one of these"},
	{"idle", "SECONDS", "how long an association may be silent (default 300)"},
	SESSION_AS_OPTIONS,
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal serve --home /srv/radseal --dicom 0.0.0.0:11112 --ae RADSEAL", "take what scanners send"},
	{"radseal serve --dicom 127.0.0.1:11112 --peers peers.conf",
         "from the AE titles and addresses in the file"},
	{"radseal serve --dicom-tls [::]:2762 --certificate node.pem --certificate-key node.key --authorities ca.pem",
         "over TLS, from peers with certificates"},
	{"radseal serve --dicom 0.0.0.0:11112 --syslog audit.example:6514 --syslog-authorities ca.pem",
         "and an audit record repository is told of everything"},
	{"radseal serve --https [::]:8443 --certificate node.pem --certificate-key node.key --http-accounts",
         "people log in, with accounts made by radseal account"},
	{NULL, NULL},
};

const struct command command_serve = {
	.name = "serve",
	.arguments = "--dicom HOST:PORT [--ae TITLE] [--peers FILE] [--dicom-tls HOST:PORT …] [--home DIR]",
	.summary = "answer a network: seal what scanners and archives send, give out what they may have",
	.description =
		"Takes DICOM associations: verification (C-ECHO), storage (C-STORE) of every storage class in any\n"
		"transfer syntax, queries and retrievals (C-FIND, C-GET, C-MOVE; patient and study root). An instance\n"
		"is stored as it came, behind a preamble and meta group made here, and answered with success when\n"
		"its bytes and its ledger entry are durable. Without --peers anyone who calls the AE title may echo\n"
		"and store. Each line of that file is\n"
		"\n"
		"    AE-TITLE  ADDRESS[:PORT]  SERVICES  [TRANSFER-SYNTAXES] [tls] [purpose=WORD]\n"
		"\n"
		"with addresses in numbers, services out of echo, store, private, commit (storage commitment, told\n"
		"to ADDRESS:PORT, or within the association without a port), find (C-FIND), get (C-GET), move\n"
		"(C-MOVE, to any title here whose address has a port, by TLS where tls stands), all, and * for any\n"
		"title or address; the first line that fits decides. What is found and retrieved is what the\n"
		"serving member may read for the purpose, or else for what its role is there for; each study that\n"
		"is given out is an entry of the ledger. It leaves as it was sealed, or converted for who cannot\n"
		"take that. SIGTERM ends it: what is under way is finished.\n"
		"Other commands write meanwhile: whoever is revoked is refused from then on. They take turns with the\n"
		"server, which waits for them (--wait) and tells peers to send again later when that was too long.",
	.options = options,
	.examples = examples,
	.text_only = true,
	.run = run,
};
