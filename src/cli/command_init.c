/* radseal init: makes a node. */
#include <stdio.h>

#include "broker.h"
#include "session.h"
#include "access/access_people.h"

static enum rs_code print_json(const char *directory, bool with_passphrase, struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0}, key RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_json json;
	char *path RS_CLEANUP(rs_free_pointer) = rs_path_join(directory, "keys/log.vkey");
	if (!path)
		return rs_error_memory(err, 1, "a path");
	RS_TRY(rs_file_read_all(rs_world_system(), path, 4096, &key, err));
	rs_buffer_init(&text, 65536);
	rs_json_init(&json, &text, true);
	rs_json_object_begin(&json);
	rs_json_key(&json, "home");
	rs_json_text(&json, directory);
	rs_json_key(&json, "log_key");
	rs_json_str(&json, rs_str_trim(rs_buffer_str(&key)));
	rs_json_key(&json, "opens_with");
	rs_json_text(&json, with_passphrase ? "passphrase" : "keys/unlock.key");
	rs_json_object_end(&json);
	rs_buffer_append_text(&text, "\n");
	RS_TRY(rs_buffer_check(&text, "the result", err));
	return session_write(NULL, rs_buffer_bytes(&text), err);
}

static enum rs_code make(const struct command_line *line, const char *directory, struct rs_bytes passphrase,
                         struct rs_error *err)
{
	const char *organisation = option_value(line, "org"), *kind_name = option_value(line, "kind");
	enum rs_organisation_kind kind = RS_ORGANISATION_ANY;
	if (option_given(line, "consortium")) {
		if (organisation || kind_name)
			return rs_error_set(err, RS_USAGE, "init: --consortium has its own --org and --kind");
		return rs_node_create_consortium(rs_world_system(), directory, passphrase, err);
	}
	if (kind_name && !rs_organisation_kind_from_name(rs_str_from(kind_name), &kind))
		return rs_error_set(err, RS_USAGE,
		                    "init: --kind is one of radiology, oncology, hospital-administration, "
		                    "research and regulator");
	return rs_node_create_of_kind(rs_world_system(), directory, organisation ? organisation : "Radiology",
	                              kind, passphrase, err);
}

static enum rs_code make_broker(const struct command_line *line, const char *directory, const char *hosts,
                                struct rs_error *err)
{
	RS_TRY(broker_make(directory, hosts, err));
	if (!option_given(line, "quiet") && !option_given(line, "json"))
		printf("made %s/mqtt: start the broker with mosquitto -c %s/mqtt/mosquitto.conf\n"
		       "  and give each device its certificate: radseal device certificate NAME --home %s\n",
		       directory, directory, directory);
	return RS_OK;
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_buffer passphrase RS_CLEANUP(rs_buffer_finish) = {0};
	if (line->operand_count != 1 || !*line->operands[0])
		return rs_error_set(err, RS_USAGE, "init: name one directory: radseal init DIR");
	const char *directory = line->operands[0], *hosts = option_value(line, "mqtt-hosts");
	const bool mqtt = option_given(line, "mqtt");
	if (hosts && !mqtt)
		return rs_error_set(err, RS_USAGE, "init: --mqtt-hosts is for --mqtt");
	hosts = hosts ? hosts : "localhost,127.0.0.1";
	char *config RS_CLEANUP(rs_free_pointer) = rs_path_join(directory, "radseal.yaml");
	if (!config)
		return rs_error_memory(err, 1, "a path");
	/* Beside a node that is there already, too. */
	if (mqtt && rs_path_exists(rs_world_system(), config))
		return make_broker(line, directory, hosts, err);
	RS_TRY(session_passphrase(line, &passphrase, err));
	enum rs_code code = make(line, directory, rs_buffer_bytes(&passphrase), err);
	bool with_passphrase = passphrase.size > 0;
	rs_wipe(passphrase.data, passphrase.size);
	RS_TRY(code);
	if (mqtt)
		RS_TRY(make_broker(line, directory, hosts, err));
	if (option_given(line, "json"))
		return print_json(directory, with_passphrase, err);
	if (option_given(line, "quiet"))
		return RS_OK;
	printf("made a node in %s\n", directory);
	printf("  %s/keys/log.vkey is the public key that proofs are checked with: give it to anyone\n",
	       directory);
	if (with_passphrase)
		printf("  its keys open with the passphrase you gave; nobody can recover it\n");
	else
		printf("  its keys open with %s/keys/unlock.key: keep a copy in a safe place, and away from backups\n",
		       directory);
	for (size_t i = 0; option_given(line, "consortium") && i < RS_CONSORTIUM_PARTIES; i++)
		printf("  %s: administered with %s/keys/%s.key (--as %s)\n",
		       rs_consortium_parties[i].organisation, directory, rs_consortium_parties[i].key_name,
		       rs_consortium_parties[i].key_name);
	printf("next: radseal seal --home %s PATH\n", directory);
	return RS_OK;
}

static const struct option options[] = {
	{"org", "NAME", "the organisation that runs the node (default: Radiology)"},
	{"mqtt", NULL, "make DIR/mqtt, too: a configuration of mosquitto, with certificates"},
	{"mqtt-hosts", "HOSTS", "the broker's names, with commas (default localhost,127.0.0.1)"},
	{"kind", "KIND",
         "what kind that is: radiology, oncology, hospital-administration, research or regulator (default: "
         "none, which may give every role)"},
	{"consortium", NULL,
         "the five organisations of a consortium at once, each with an administrator's key"},
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal init /srv/radseal --org Radiology", "a node whose keys open with a file beside them"},
	{"radseal init /srv/radseal --passphrase-file /root/passphrase",
         "a node whose keys open with a passphrase (Argon2id)"},
	{"radseal init /srv/radseal --consortium",
         "Hospital Administration, Radiology, Oncology, Research and Regulator on one ledger"},
	{NULL, NULL},
};

const struct command command_init = {
	.name = "init",
	.arguments = "DIR [--org NAME] [--kind KIND | --consortium]",
	.summary = "make a node: keys, vault, ledger, configuration",
	.description =
		"Makes a node in DIR, which must be missing or empty: its keys, an empty encrypted vault, a\n"
		"ledger whose first entry names the organisation and its administrator, and a commented\n"
		"configuration file, radseal.yaml. With --consortium the node belongs to Hospital Administration,\n"
		"and the administrators of the other four sign with keys/radiology-admin.key, oncology-admin,\n"
		"research-admin and regulator-admin: give each to whom it belongs. --mqtt writes what a broker for\n"
		"devices needs below DIR/mqtt, also for a node that is there already: see radseal serve --mqtt.",
	.options = options,
	.examples = examples,
	.run = run,
};
