/* Files of peers: what a line allows, which line decides, and what is no line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "peers.h"

static void the_first_line_that_fits_decides(void **state)
{
	static const char text[] = "# who may\n\n"
				   "MR1   10.0.0.5        echo,store\r\n"
				   "MR1   *               echo\n"
				   "PACS  10.0.0.9:104    all   1.2.840.10008.1.2,1.2.840.10008.1.2.1\n"
				   "SIX   [2001:DB8::1]:11112 store\n"
				   "VIEW  10.0.0.7:11113  get,move tls purpose=treatment 1.2.840.10008.1.2\n"
				   "*     ::1             private";
	static const struct {
		const char *title, *host;
		unsigned services, port;
	} cases[] = {
		{"MR1", "10.0.0.5", RS_SERVICE_VERIFICATION | RS_SERVICE_STORAGE, 0},
		{"MR1", "10.0.0.6", RS_SERVICE_VERIFICATION, 0},
		{"PACS", "10.0.0.9", RS_SERVICES_ALL, 104},
		{"PACS", "10.0.0.8", 0, 0},
		{"pacs", "10.0.0.9", 0, 0},
		{"SIX", "2001:db8::1", RS_SERVICE_STORAGE, 11112},
		{"VIEW", "10.0.0.7", RS_SERVICE_GET | RS_SERVICE_MOVE, 11113},
		{"ANY", "::1", RS_SERVICE_STORAGE_PRIVATE, 0},
		{"ANY", "", 0, 0},
	};
	struct peers peers;
	struct rs_error err = {0};
	(void)state;
	assert_int_equal(peers_parse(rs_str_from(text), &peers, &err), RS_OK);
	assert_int_equal(peers.count, 6);
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		const struct peer *peer = peers_find(&peers, cases[i].title, cases[i].host);
		assert_int_equal(peer ? peer->takes.services : 0, cases[i].services);
		assert_int_equal(peer ? peer->port : 0, cases[i].port);
	}
	assert_string_equal(peers_find(&peers, "PACS", "10.0.0.9")->takes.transfer_syntaxes,
	                    "1.2.840.10008.1.2,1.2.840.10008.1.2.1");
	peers_finish(&peers);
}

static void instances_are_sent_to_titles_with_a_port(void **state)
{
	char address[PEER_ADDRESS_SIZE];
	struct peers peers;
	(void)state;
	assert_int_equal(peers_parse(RS_STR("MR1 10.0.0.5 echo tls"), &peers, NULL), RS_OK);
	assert_null(peers_destination(&peers, "MR1"));
	peers_finish(&peers);
	assert_int_equal(peers_parse(RS_STR("PACS 10.0.0.9 all\nPACS [::1]:104 echo tls purpose=research\n"
	                                    "* 10.0.0.1:104 all"),
	                             &peers, NULL),
	                 RS_OK);
	const struct peer *peer = peers_destination(&peers, "PACS");
	assert_non_null(peer);
	assert_true(peer->is_tls && peer->purpose == RS_PURPOSE_RESEARCH);
	peer_address(peer, address);
	assert_string_equal(address, "[::1]:104");
	assert_null(peers_destination(&peers, "OTHER"));
	assert_null(peers_destination(&peers, ""));
	peers_finish(&peers);
}

static void what_is_no_line_is_named(void **state)
{
	static const char *const lines[] = {
		"MR1 10.0.0.5",
		"MR1 10.0.0.5 echo 1.2 more",
		"MR1 10.0.0.5 echo 1.2 1.2.3",
		"MR1 10.0.0.5 echo purpose=fun",
		"MR1 10.0.0.5 echo tls tls tls tls",
		"SEVENTEEN-LETTERS * echo",
		"A\\B * echo",
		"MR1 scanner.local echo",
		"MR1 10.0.0.5:0 echo",
		"MR1 10.0.0.5:99999 echo",
		"MR1 [::1 echo",
		"MR1 [::1]x:1 echo",
		"MR1 10.0.0.256 echo",
		"MR1 * worklist",
		"MR1 * echo,,store",
		"MR1 : echo",
		"MR1 [] echo",
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(lines); i++) {
		struct peers peers = {0};
		struct rs_error err = {0};
		if (peers_parse(rs_str_from(lines[i]), &peers, &err) != RS_MALFORMED ||
		    !strstr(err.message, "line 1 "))
			fail_msg("%s: %s", lines[i], err.message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_line_that_fits_decides),
		cmocka_unit_test(instances_are_sent_to_titles_with_a_port),
		cmocka_unit_test(what_is_no_line_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
