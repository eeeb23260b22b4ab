/* A server of one node for web_bench.py: with what leaves held against the ledger, as always, or without, to tell what that
 * costs. web_compare_bench HOME TOKENS PORT on|off; ends with SIGTERM. */
#include <stdio.h>
#include <string.h>

#include "web/web.h"
#include "web/web_tokens.h"

static volatile sig_atomic_t stop;

static void on_signal(int number RS_UNUSED) { stop = 1; }

static enum rs_code serve(char **arguments, struct rs_node *node, struct rs_actor *actor,
                          struct rs_error *err)
{
	char address[64];
	struct rs_gateway *gateway;
	struct rs_web_tokens *tokens;
	struct rs_web *web;
	const struct rs_gateway_options doors = {
		.ae_title = "BENCH", .idle_s = 300, .memory_max = (size_t)256 << 20};
	snprintf(address, sizeof address, "127.0.0.1:%s", arguments[3]);
	RS_TRY(rs_web_tokens_read(node, actor, arguments[2], &tokens, err));
	const struct rs_web_authenticator authenticator = rs_web_tokens_authenticator(tokens);
	const struct rs_web_options options = {.http = address,
	                                       .authenticators = &authenticator,
	                                       .authenticator_count = 1,
	                                       .connections_max = 16,
	                                       .connections_of_address_max = 16,
	                                       .is_bench_without_comparison = strcmp(arguments[4], "off") ==
	                                                                      0};
	RS_TRY(rs_gateway_open(node, actor, &doors, &gateway, err));
	RS_TRY(rs_web_open(node, gateway, &options, &stop, &web, err));
	enum rs_code code = rs_gateway_run(gateway, &stop, err);
	rs_web_close(web);
	rs_web_tokens_free(tokens);
	enum rs_code closed = rs_gateway_close(gateway, err);
	return code == RS_OK ? closed : code;
}

int main(int count, char **arguments)
{
	const struct sigaction action = {.sa_handler = on_signal};
	struct rs_error err = {0};
	struct rs_node *node = NULL;
	struct rs_actor *actor = NULL;
	if (count != 5)
		return 2;
	sigaction(SIGTERM, &action, NULL);
	enum rs_code code = rs_node_open(rs_world_system(), arguments[1], RS_NODE_WRITE, rs_bytes_of("", 0),
	                                 NULL, &node, &err);
	if (code == RS_OK)
		code = rs_node_actor_open(node, NULL, rs_bytes_of("", 0), &actor, &err);
	if (code == RS_OK)
		code = serve(arguments, node, actor, &err);
	if (code != RS_OK)
		fprintf(stderr, "%s\n", err.message);
	rs_actor_close(actor);
	rs_node_close(node);
	return code == RS_OK ? 0 : 1;
}
