/* The command line of radseal-verify: reads its arguments, the receipt, the keys and the file; prints one line. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "verify.h"

enum exit_status { EXIT_GENUINE = 0, EXIT_ALTERED = 1, EXIT_USAGE = 2, EXIT_INPUT_OUTPUT = 4 };

static const char help[] =
	"radseal-verify FILE RECEIPT --key LOG-KEY [--witness KEY]… [--quorum N]\n\n"
	"Tells whether FILE is the one that RECEIPT (.tlog-proof) was made for, and why not. Needs no\n"
	"node, no network, and nothing of radseal; it is made to be read: see verify/ of radseal's sources.\n\n"
	"  --key KEY        the log's verifier key (keys/log.vkey of the node), or a file with it\n"
	"  --witness KEY    the verifier key of a witness, or a file with it; may be given several times\n"
	"  --quorum N       so many of these witnesses must have cosigned; all of them if not given\n"
	"  --quiet          print nothing when the file is genuine\n"
	"  --help           show this help\n"
	"  --version        show the version\n\n"
	"Examples:\n"
	"  radseal-verify scan.dcm scan.tlog-proof --key log.vkey\n"
	"  radseal-verify scan.dcm scan.tlog-proof --key log.vkey --witness a.vkey --witness b.vkey --quorum 1\n\n"
	"Exit status: 0 genuine, 1 altered, 2 usage, 4 input/output.\n";

struct options {
	const char *file, *receipt;
	bool quiet;
	struct trust trust;
};

static int complain(int status, const char *what, const char *why)
{
	fprintf(stderr, "radseal-verify: %s: %s\n", what, why);
	return status;
}

/* The whole file, at most `capacity` bytes; -1 with errno, -2 when it is larger. */
static long read_whole(const char *path, uint8_t *out, size_t capacity)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		return -1;
	size_t size = fread(out, 1, capacity, file);
	bool failed = ferror(file) != 0, more = !failed && fgetc(file) != EOF;
	fclose(file);
	return failed ? -1 : more ? -2 : (long)size;
}

/* A key, or the path of a file with one. */
static bool read_key(const char *argument, enum key_kind kind, struct key *out)
{
	uint8_t text[1024];
	struct span span = span_of_text(argument);
	struct reason why;
	long size = read_whole(argument, text, sizeof text);
	if (size >= 0)
		span = (struct span){text, (size_t)size};
	while (span.size && (span.data[span.size - 1] == '\n' || span.data[span.size - 1] == '\r'))
		span.size--;
	if (parse_key(span, kind, out, &why))
		return true;
	complain(EXIT_USAGE, argument, why.text);
	return false;
}

static bool add_witness(const char *argument, struct trust *trust)
{
	struct key *key = &trust->witnesses[trust->witness_count];
	if (trust->witness_count == WITNESSES_MAX) {
		complain(EXIT_USAGE, "--witness", "too many are given");
		return false;
	}
	if (!read_key(argument, KEY_WITNESS, key))
		return false;
	/* One witness under two names would be counted twice. */
	for (size_t i = 0; i < trust->witness_count; i++)
		if (memcmp(trust->witnesses[i].public_key, key->public_key, KEY_SIZE) == 0) {
			complain(EXIT_USAGE, argument, "the same witness key is given twice");
			return false;
		}
	trust->witness_count++;
	return true;
}

/* False when something is wrong with the arguments; it has been told then. */
static bool parse_options(int count, char **arguments, struct options *out)
{
	static const struct option table[] = {
		{"key", required_argument, NULL, 'k'},
		{"witness", required_argument, NULL, 'w'},
		{"quorum", required_argument, NULL, 'n'},
		{"quiet", no_argument, NULL, 'q'},
		{NULL, 0, NULL, 0},
	};
	bool has_key = false, has_quorum = false;
	uint64_t quorum = 0;
	for (int option; (option = getopt_long(count, arguments, "", table, NULL)) != -1;) {
		if (option == 'k' && !has_key)
			has_key = read_key(optarg, KEY_LOG, &out->trust.log);
		else if (option == 'n')
			has_quorum = parse_decimal(span_of_text(optarg), &quorum);
		else if (option == 'q')
			out->quiet = true;
		else if (option != 'w' || !add_witness(optarg, &out->trust))
			return false;
		if ((option == 'k' && !has_key) || (option == 'n' && !has_quorum))
			return false;
	}
	out->trust.quorum = has_quorum ? (size_t)quorum : out->trust.witness_count;
	if (!has_key || count - optind != 2 || quorum > out->trust.witness_count) {
		fputs("radseal-verify: name one file, one receipt, the log's --key, and no larger --quorum than "
		      "witnesses\n",
		      stderr);
		return false;
	}
	out->file = arguments[optind];
	out->receipt = arguments[optind + 1];
	return true;
}

/* SHA-256 and size of a file of any size. */
static bool hash_file(const char *path, struct hash *out, uint64_t *out_size)
{
	static uint8_t chunk[1 << 16];
	crypto_hash_sha256_state state;
	FILE *file = fopen(path, "rb");
	if (!file)
		return false;
	crypto_hash_sha256_init(&state);
	*out_size = 0;
	for (size_t size; (size = fread(chunk, 1, sizeof chunk, file)) > 0; *out_size += size)
		crypto_hash_sha256_update(&state, chunk, size);
	bool failed = ferror(file) != 0;
	fclose(file);
	crypto_hash_sha256_final(&state, out->bytes);
	return !failed;
}

static void print_genuine(const char *path, const struct facts *facts)
{
	char sealed[32] = "at an unknown time";
	time_t seconds = (time_t)(facts->time_ms / 1000);
	struct tm parts;
	if (gmtime_r(&seconds, &parts))
		strftime(sealed, sizeof sealed, "%Y-%m-%dT%H:%M:%SZ", &parts);
	printf("genuine  %s  (sealed %s, entry %" PRIu64 " of %s, cosigned by %zu)\n", path, sealed,
	       facts->index, facts->checkpoint.origin, facts->checkpoint.cosigned);
}

static int verify(const struct options *options)
{
	static uint8_t receipt[RECEIPT_SIZE_MAX];
	struct facts facts;
	struct reason why;
	struct hash content;
	uint64_t size;
	long receipt_size = read_whole(options->receipt, receipt, sizeof receipt);
	if (receipt_size == -1)
		return complain(EXIT_INPUT_OUTPUT, options->receipt, strerror(errno));
	if (!hash_file(options->file, &content, &size))
		return complain(EXIT_INPUT_OUTPUT, options->file, strerror(errno));
	bool genuine = receipt_size >= 0 ? check_receipt((struct span){receipt, (size_t)receipt_size},
	                                                 &options->trust, &facts, &why)
	                                 : refuse(&why, "the receipt is larger than any");
	if (genuine && (facts.size != size || memcmp(facts.content.bytes, content.bytes, HASH_SIZE) != 0))
		genuine = refuse(&why, "the file's bytes are not the ones that this receipt was made for");
	if (!genuine)
		printf("altered  %s  (%s)\n", options->file, why.text);
	else if (!options->quiet)
		print_genuine(options->file, &facts);
	if (fflush(stdout) != 0)
		return complain(EXIT_INPUT_OUTPUT, "standard output", strerror(errno));
	return genuine ? EXIT_GENUINE : EXIT_ALTERED;
}

int main(int count, char **arguments)
{
	static struct options options;
	for (int i = 1; i < count; i++) {
		if (strcmp(arguments[i], "--help") == 0) {
			fputs(help, stdout);
			return EXIT_GENUINE;
		}
		if (strcmp(arguments[i], "--version") == 0) {
			puts("radseal-verify " RADSEAL_VERSION);
			return EXIT_GENUINE;
		}
	}
	if (sodium_init() < 0)
		return complain(EXIT_INPUT_OUTPUT, "libsodium", "it could not be initialised");
	if (!parse_options(count, arguments, &options)) {
		fputs("See radseal-verify --help.\n", stderr);
		return EXIT_USAGE;
	}
	return verify(&options);
}
