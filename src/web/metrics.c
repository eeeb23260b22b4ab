/* Numbers for Prometheus (its text format, version 0.0.4): of requests, of what is sealed, of room, of certificates. */
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "node/node_room.h"
#include "server.h"
#include "services.h"

const double bucket_seconds[BUCKETS] = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2, 10, 0};

static void declare(struct rs_buffer *out, const char *name, const char *kind, const char *help)
{
	rs_buffer_printf(out, "# HELP radseal_%s %s\n# TYPE radseal_%s %s\n", name, help, name, kind);
}

static void put(struct rs_buffer *out, const char *name, const char *kind, const char *help, double value)
{
	declare(out, name, kind, help);
	rs_buffer_printf(out, "radseal_%s ", name);
	rs_buffer_append_f64_text(out, value);
	rs_buffer_append_text(out, "\n");
}

static uint64_t answers_of(const struct tally *tally)
{
	uint64_t count = 0;
	for (size_t i = 0; i < BUCKETS; i++)
		count += atomic_load(&tally->within[i]);
	return count;
}

static void put_labels(struct rs_buffer *out, const char *name, size_t index)
{
	const struct route *route = route_at(index);
	rs_buffer_printf(out, "radseal_http_%s{method=\"%s\",path=\"%s\"", name, route ? route->method : "",
	                 route ? route->path : "");
}

static void put_durations(struct rs_buffer *out, const struct tally *tally, size_t index)
{
	uint64_t count = 0;
	for (size_t i = 0; i < BUCKETS; i++) {
		count += atomic_load(&tally->within[i]);
		put_labels(out, "request_seconds_bucket", index);
		if (i == BUCKETS - 1) {
			rs_buffer_append_text(out, ",le=\"+Inf\"}");
		} else {
			rs_buffer_append_text(out, ",le=\"");
			rs_buffer_append_f64_text(out, bucket_seconds[i]);
			rs_buffer_append_text(out, "\"}");
		}
		rs_buffer_printf(out, " %llu\n", (unsigned long long)count);
	}
	put_labels(out, "request_seconds_sum", index);
	rs_buffer_append_text(out, "} ");
	rs_buffer_append_f64_text(out, (double)atomic_load(&tally->time_us) / 1e6);
	rs_buffer_append_text(out, "\n");
	put_labels(out, "request_seconds_count", index);
	rs_buffer_printf(out, "} %llu\n", (unsigned long long)count);
}

static void put_requests(struct rs_web *web, struct rs_buffer *out)
{
	declare(out, "http_requests_total", "counter", "Answers by route and class of status.");
	for (size_t i = 0; i <= route_count(); i++)
		for (size_t class = 0; class < CLASSES; class ++) {
			uint64_t count = atomic_load(&web->tallies[i].answers[class]);
			if (count == 0)
				continue;
			put_labels(out, "requests_total", i);
			rs_buffer_printf(out, ",status=\"%zuxx\"} %llu\n", class + 1,
			                 (unsigned long long)count);
		}
	declare(out, "http_request_seconds", "histogram",
	        "From a request's first line to the end of its answer.");
	for (size_t i = 0; i <= route_count(); i++)
		if (answers_of(&web->tallies[i]) > 0)
			put_durations(out, &web->tallies[i], i);
	declare(out, "http_received_bytes_total", "counter", "Bodies of requests.");
	for (size_t i = 0; i <= route_count(); i++)
		if (atomic_load(&web->tallies[i].received) > 0) {
			put_labels(out, "received_bytes_total", i);
			rs_buffer_printf(out, "} %llu\n", atomic_load(&web->tallies[i].received));
		}
	declare(out, "http_sent_bytes_total", "counter", "Bodies of answers.");
	for (size_t i = 0; i <= route_count(); i++)
		if (atomic_load(&web->tallies[i].sent) > 0) {
			put_labels(out, "sent_bytes_total", i);
			rs_buffer_printf(out, "} %llu\n", atomic_load(&web->tallies[i].sent));
		}
}

static void put_intake(struct rs_web *web, struct rs_buffer *out)
{
	struct rs_intake_counts counts;
	uint64_t groups = 0;
	rs_intake_count(web_intake(web), &counts);
	put(out, "instances_sealed_total", "counter", "Instances sealed since the start.",
	    (double)counts.sealed);
	put(out, "instances_known_total", "counter", "Instances that were sealed before.",
	    (double)counts.known);
	put(out, "instances_refused_total", "counter", "Instances that were not taken.",
	    (double)counts.refused);
	put(out, "sealed_bytes_total", "counter", "Bytes of the sealed instances.", (double)counts.bytes);
	put(out, "arrivals_waiting", "gauge", "Whole instances that wait for a group.",
	    (double)counts.waiting);
	put(out, "arrivals_memory_bytes", "gauge", "What is being received lies in so much memory.",
	    (double)counts.memory);
	declare(out, "group_size", "histogram", "Instances that one commit of the ledger took.");
	for (size_t i = 0; i < RS_INTAKE_SIZES; i++) {
		groups += counts.sizes[i];
		rs_buffer_printf(out, "radseal_group_size_bucket{le=\"%u\"} %llu\n", 1u << i,
		                 (unsigned long long)groups);
	}
	rs_buffer_printf(out,
	                 "radseal_group_size_bucket{le=\"+Inf\"} %llu\nradseal_group_size_sum %llu\n"
	                 "radseal_group_size_count %llu\n",
	                 (unsigned long long)groups, (unsigned long long)counts.grouped,
	                 (unsigned long long)groups);
}

/* Days until the first certificate of the file ends; below zero when it has. */
static bool days_left(const char *pem, double *out)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	int days = 0, seconds = 0;
	bool known = certificate &&
	             ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate)) == 1;
	*out = days + seconds / 86400.0;
	X509_free(certificate);
	BIO_free(bio);
	return known;
}

static enum rs_code metrics(struct request *request, struct rs_error *err)
{
	struct rs_web *web = request->web;
	struct rs_node *node = web_node(web);
	struct rs_buffer *out = &request->body;
	uint64_t left = 0;
	double days;
	RS_TRY(request_check_member(request, err));
	pthread_mutex_lock(&node->mutex);
	enum rs_code code = room_left(node, &left, NULL);
	pthread_mutex_unlock(&node->mutex);
	put_requests(web, out);
	put_intake(web, out);
	put(out, "http_connections", "gauge", "Connections now.", (double)web->connection_count);
	put(out, "dicom_associations", "gauge", "DICOM associations now.",
	    (double)rs_gateway_associations(web_gateway(web)));
	put(out, "http_connections_late_total", "counter",
	    "Connections that were ended as slow, silent or idle.", (double)atomic_load(&web->late));
	declare(out, "dicom_events_total", "counter", "What went wrong with DICOM peers, as the log has it.");
	for (size_t i = 0; i < RS_GATEWAY_EVENT_COUNT; i++)
		rs_buffer_printf(
			out, "radseal_dicom_events_total{event=\"%s\"} %llu\n",
			rs_gateway_event_name((enum rs_gateway_event)i),
			(unsigned long long)rs_gateway_events(web_gateway(web), (enum rs_gateway_event)i));
	if (web->options.is_broker_met)
		put(out, "mqtt_connected", "gauge", "1 when the MQTT broker is met.",
		    atomic_load(web->options.is_broker_met) ? 1 : 0);
	if (code == RS_OK && left != UINT64_MAX)
		put(out, "room_bytes", "gauge", "What objects may still take, by quota and disk.",
		    (double)left);
	if ((web->certificate && days_left(web->certificate, &days)) ||
	    rs_gateway_certificate_days(web_gateway(web), &days))
		put(out, "certificate_days_left", "gauge", "Until the server's certificate ends.", days);
	if (rs_gateway_revocations_days(web_gateway(web), &days))
		put(out, "revocations_days_left", "gauge",
		    "Until a list of revoked certificates is out of date.", days);
	snprintf(request->media, sizeof request->media, "text/plain; version=0.0.4; charset=utf-8");
	return rs_buffer_check(out, "the metrics", err);
}

const struct route routes_metrics[] = {
	{"GET", "/metrics", RS_WEB_MAY_METRICS, 0, NULL, NULL, metrics, NULL},
	{NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
