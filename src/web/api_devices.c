/* What devices announced, and what of theirs is not believed. */
#include "api.h"
#include "devices/devices.h"

static enum rs_code put_series(void *context, const struct rs_series_report *report, struct rs_error *err)
{
	struct call *call = context;
	row_begin(call);
	put_text(call, "device", report->name);
	put_hex(call, "key", report->device.bytes, RS_KEY_SIZE);
	put_time(call, "since", report->since_ms);
	put_switch(call, "complete", report->arrived == report->listed);
	put_number(call, "listed", report->listed);
	put_number(call, "arrived", report->arrived);
	put_number(call, "matched", report->matched);
	put_number(call, "quarantined", report->quarantined);
	return row_end(call, err);
}

static enum rs_code list_series(struct call *call, struct rs_error *err)
{
	return rs_node_each_series(call->node, put_series, call, err);
}

static enum rs_code put_quarantined(void *context, const struct rs_quarantined *row, struct rs_error *err)
{
	struct call *call = context;
	row_begin(call);
	put_number(call, "id", row->id);
	put_text(call, "device", row->device);
	put_hex(call, "key", row->key.bytes, RS_KEY_SIZE);
	put_time(call, "since", row->time_ms);
	put_time(call, "captured", row->captured_ms);
	put_text(call, "clock", rs_clock_quality_name(row->clock));
	put_text(call, "kind", row->kind == RS_ENVELOPE_MANIFEST ? "manifest" : "instance");
	put_number(call, "size", row->size);
	put_text(call, "why", rs_distrust_name(row->distrust));
	put_text(call, "reason", rs_distrust_text(row->distrust));
	return row_end(call, err);
}

static enum rs_code list_quarantine(struct call *call, struct rs_error *err)
{
	return rs_quarantine_each(call->node, put_quarantined, call, err);
}

#define END                                         \
	{                                           \
		NULL, FIELD_TEXT, false, NULL, NULL \
	}
static const struct field series_fields[] = {
	{"device", FIELD_TEXT, true, "as it calls itself", NULL},
	{"key", FIELD_HEX, true, "that its manifest is signed with", NULL},
	{"since", FIELD_TIME, true, "when the manifest came", NULL},
	{"complete", FIELD_SWITCH, true, "whether all that it lists is here", NULL},
	{"listed", FIELD_NUMBER, true, "instances in the manifest", NULL},
	{"arrived", FIELD_NUMBER, true, "of them that are here", NULL},
	{"matched", FIELD_NUMBER, true, "of these that came without an envelope of their own", NULL},
	{"quarantined", FIELD_NUMBER, true, "that are in quarantine", NULL},
	END};
static const struct field quarantine_fields[] = {
	{"id", FIELD_NUMBER, true, "its number, for radseal quarantine release and discard", NULL},
	{"device", FIELD_TEXT, true, "as it calls itself", NULL},
	{"key", FIELD_HEX, true, "that it is signed with", NULL},
	{"since", FIELD_TIME, true, "when it came", NULL},
	{"captured", FIELD_TIME, false, "when it was made, by the device's clock", NULL},
	{"clock", FIELD_TEXT, true, "how good that clock is", "none,free,network,reference"},
	{"kind", FIELD_TEXT, true, "what it is", "instance,manifest"},
	{"size", FIELD_NUMBER, true, "bytes of the data set", NULL},
	{"why", FIELD_TEXT, true, "not believed: a word", NULL},
	{"reason", FIELD_TEXT, true, "not believed: a sentence", NULL},
	END};

const struct operation operations_devices[] = {
	{.route = {.method = "GET", .path = "/api/v1/series", .right = RS_WEB_MAY_WATCH},
         .group = "devices",
         .summary = "Lists the series that devices' manifests announced, and how much of each has come",
         .answer = series_fields,
         .answers_list = true,
         .run = list_series},
	{.route = {.method = "GET", .path = "/api/v1/quarantine", .right = RS_WEB_MAY_WATCH},
         .group = "devices",
         .summary = "Lists what devices sent and was not believed",
         .answer = quarantine_fields,
         .answers_list = true,
         .run = list_quarantine},
	{.run = NULL},
};
