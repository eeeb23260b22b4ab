/* Entries and events as FHIR R4 AuditEvents (hl7.org/fhir/R4/auditevent.html), for audit record repositories that take them by
 * POST (IHE ATNA, RESTful feed of ITI-20). Users are keys, patients are tokens, as on the ledger; no name is in them. */
#ifndef RS_AUDIT_FHIR_H
#define RS_AUDIT_FHIR_H

#include "audit/audit_atna.h"
#include "audit/audit_write.h"

/* One resource, appended. An entity names the entry's or the event's place, by which doubles are told. */
enum rs_code rs_fhir_line(const struct rs_audit_heading *heading, const struct rs_audit_line *line,
                          struct rs_buffer *out, struct rs_error *err);
enum rs_code rs_fhir_event(const struct rs_audit_heading *heading, const struct rs_atna_event *event,
                           uint64_t number, struct rs_buffer *out, struct rs_error *err);

#endif
