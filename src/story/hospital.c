/* The first chapters: patients, five organisations, scans that arrive, consents. */
#include <signal.h>

#include "teller.h"

#define SCANNERS 8 /* at a time */

enum rs_code tell_of_cohort(struct teller *teller, struct rs_error *err)
{
	char patients[24], seed[24];
	const struct rs_story *story = teller->story;
	snprintf(patients, sizeof patients, "%zu", story->patients + 1);
	snprintf(seed, sizeof seed, "%llu", (unsigned long long)story->seed);
	story_chapter(teller, "Patients that never lived");
	RS_TRY(story_run(teller, 0,
	                 ARGUMENTS("demo", "cohort", "--patients", patients, "--seed", seed, "-o",
	                           story_path(teller, "cohort"), "--quiet"),
	                 NULL, err));
	story_say(
		teller,
		"%zu synthetic patients with pancreatic cancer from five centres: T1, T2, diffusion and dynamic contrast "
		"as DICOM, the outlines of two readers, and a clinical table.",
		story->patients + 1);
	return RS_OK;
}

enum rs_code tell_of_node(struct teller *teller, struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	const char *home = teller->home;
	size_t lines = 0;
	story_chapter(teller, "A node of five organisations");
	RS_TRY(story_run(teller, 0, ARGUMENTS("init", home, "--consortium", "--quiet"), NULL, err));
	RS_TRY(story_run(teller, 0, ARGUMENTS("key", "new", "doctor", "--home", home, "--quiet"), NULL, err));
	RS_TRY(story_run(teller, 0, ARGUMENTS("key", "new", "researcher", "--home", home, "--quiet"), NULL,
	                 err));
	RS_TRY(story_run(
		teller, 0,
		ARGUMENTS("member", "grant", "doctor", "--role", "radiologist", "--home", home, "--quiet"),
		NULL, err));
	RS_TRY(story_run(teller, 0,
	                 ARGUMENTS("member", "grant", "researcher", "--role", "researcher", "--as",
	                           "research-admin", "--home", home, "--quiet"),
	                 NULL, err));
	RS_TRY(story_run(teller, 0, ARGUMENTS("organisation", "list", "--home", home), &text, err));
	for (size_t i = 0; i < text.size; i++)
		lines += text.data[i] == '\n';
	story_say(
		teller,
		"%zu organisations share one ledger. What each may do is decided by a contract, and every decision is an "
		"entry.",
		lines);
	return RS_OK;
}

/* From "dicom 41801", at the beginning. */
static const char *address_of(struct teller *teller, const struct rs_buffer *text)
{
	struct rs_str line, rest = rs_buffer_str(text);
	(void)rs_str_split(&rest, '\n', &line);
	(void)rs_str_split(&line, ' ', &rest);
	return story_words(teller, "127.0.0.1:%.*s", (int)line.size, line.data);
}

static const char *const *delivery_of(struct teller *teller, size_t number, struct rs_error *err)
{
	return story_arguments(teller,
	                       ARGUMENTS("dicom", "send", teller->gateway,
	                                 story_path(teller, "cohort/%s", story_patient(teller, number)),
	                                 "--called", "RADSEAL", "--quiet"),
	                       err);
}

enum rs_code tell_of_arrival(struct teller *teller, struct rs_error *err)
{
	struct child gateway RS_CLEANUP(child_finish) = {.pid = 0};
	size_t patients = teller->story->patients + 1;
	story_chapter(teller, "Scans arrive, and are sealed");
	RS_TRY(child_start(NULL,
	                   ARGUMENTS("serve", "--home", teller->home, "--dicom", "127.0.0.1:0", "--quiet"),
	                   &gateway, err));
	story_show(teller, gateway.line);
	RS_TRY(child_read(&gateway, "\n", err));
	teller->gateway = address_of(teller, &gateway.text);
	uint64_t began_ns = teller->world->clock->monotonic_ns(teller->world->clock);
	RS_TRY(story_run_for_each(teller, patients, SCANNERS, delivery_of, NULL, err));
	double seconds = story_seconds(teller, began_ns);
	kill(gateway.pid, SIGTERM);
	RS_TRY(child_end(&gateway, 0, false, err));
	story_say(
		teller,
		"Scanners sent all of it by DICOM C-STORE in %.1f s, %d at a time. Each file was encrypted, stored "
		"under its content address and committed to the ledger before its sender was told of success.",
		seconds, SCANNERS);
	return RS_OK;
}

static const char *const *consent_of(struct teller *teller, size_t number, struct rs_error *err)
{
	return story_arguments(teller,
	                       ARGUMENTS("consent", "grant", "--home", teller->home, "--subject",
	                                 story_patient(teller, number), "--organisation", "Research",
	                                 "--roles", "researcher", "--purposes", "research", "--operations",
	                                 "read,extract,train,predict", "--quiet"),
	                       err);
}

enum rs_code tell_of_consent(struct teller *teller, struct rs_error *err)
{
	story_chapter(teller, "Consent");
	RS_TRY(story_run_for_each(teller, teller->story->patients + 1, 1, consent_of, NULL, err));
	story_say(
		teller,
		"Each patient permits Research to measure, to train and to predict, for research alone. Without "
		"that the contract refuses.");
	return RS_OK;
}
