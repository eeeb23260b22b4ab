/* The table: who may do what, and on which grounds data may be used. What stands in no row is refused. */
#include "contract/contract.h"

#define ROLE(role) RS_SET(RS_ROLE_##role)
#define CLINICIANS (ROLE(RADIOLOGIST) | ROLE(ONCOLOGIST))

/* Role × operation on the ledger × scope. A role has one scope for a type. */
static const struct {
	enum rs_transaction_type type;
	unsigned roles;
	enum rs_scope scope;
} rules[] = {
	{RS_TRANSACTION_ORGANISATION_ADD, ROLE(HOSPITAL_ADMINISTRATOR) | ROLE(REGULATOR), RS_SCOPE_ANYWHERE},
	{RS_TRANSACTION_MEMBER_GRANT, ROLE(HOSPITAL_ADMINISTRATOR), RS_SCOPE_OWN_ORGANISATION},
	{RS_TRANSACTION_MEMBER_REVOKE, ROLE(HOSPITAL_ADMINISTRATOR), RS_SCOPE_OWN_ORGANISATION},
	{RS_TRANSACTION_DEVICE_ENROL, ROLE(HOSPITAL_ADMINISTRATOR) | ROLE(DATA_ENGINEER),
         RS_SCOPE_OWN_ORGANISATION},
	{RS_TRANSACTION_DEVICE_REVOKE, ROLE(HOSPITAL_ADMINISTRATOR) | ROLE(DATA_ENGINEER),
         RS_SCOPE_OWN_ORGANISATION},
	{RS_TRANSACTION_DEVICE_ROTATE, ROLE(HOSPITAL_ADMINISTRATOR) | ROLE(DATA_ENGINEER),
         RS_SCOPE_OWN_ORGANISATION},
	{RS_TRANSACTION_DEVICE_ROTATE, ROLE(DEVICE), RS_SCOPE_SELF},
	{RS_TRANSACTION_OBJECT_REGISTER,
         CLINICIANS | ROLE(RESEARCHER) | ROLE(DATA_ENGINEER) | ROLE(HOSPITAL_ADMINISTRATOR) | ROLE(DEVICE),
         RS_SCOPE_OWN_ORGANISATION},
	{RS_TRANSACTION_SUBJECT_REGISTER,
         CLINICIANS | ROLE(DATA_ENGINEER) | ROLE(HOSPITAL_ADMINISTRATOR) | ROLE(DEVICE),
         RS_SCOPE_OWN_ORGANISATION},
	{RS_TRANSACTION_PROFILE_SET, ROLE(HOSPITAL_ADMINISTRATOR), RS_SCOPE_CUSTODIAN},
	{RS_TRANSACTION_PROFILE_SET, ROLE(PATIENT), RS_SCOPE_OWN_SUBJECT},
	{RS_TRANSACTION_CONSENT_GRANT, ROLE(HOSPITAL_ADMINISTRATOR), RS_SCOPE_CUSTODIAN},
	{RS_TRANSACTION_CONSENT_GRANT, ROLE(PATIENT), RS_SCOPE_OWN_SUBJECT},
	{RS_TRANSACTION_CONSENT_NARROW, ROLE(HOSPITAL_ADMINISTRATOR), RS_SCOPE_PARTY},
	{RS_TRANSACTION_CONSENT_NARROW, ROLE(PATIENT), RS_SCOPE_OWN_SUBJECT},
	{RS_TRANSACTION_CONSENT_REVOKE, ROLE(HOSPITAL_ADMINISTRATOR), RS_SCOPE_CUSTODIAN},
	{RS_TRANSACTION_CONSENT_REVOKE, ROLE(PATIENT), RS_SCOPE_OWN_SUBJECT},
	{RS_TRANSACTION_ACCESS_REQUEST,
         CLINICIANS | ROLE(RESEARCHER) | ROLE(DATA_ENGINEER) | ROLE(HOSPITAL_ADMINISTRATOR) |
                 ROLE(REGULATOR) | ROLE(PATIENT),
         RS_SCOPE_ANYWHERE},
	{RS_TRANSACTION_BREAK_GLASS, CLINICIANS, RS_SCOPE_ANYWHERE},
	{RS_TRANSACTION_BREAK_GLASS_REVIEW, ROLE(HOSPITAL_ADMINISTRATOR), RS_SCOPE_OWN_ORGANISATION},
	{RS_TRANSACTION_BREAK_GLASS_REVIEW, ROLE(REGULATOR), RS_SCOPE_OVERSIGHT},
	{RS_TRANSACTION_ERASURE, ROLE(HOSPITAL_ADMINISTRATOR), RS_SCOPE_CUSTODIAN},
	{RS_TRANSACTION_ERASURE, ROLE(PATIENT), RS_SCOPE_OWN_SUBJECT},
	{RS_TRANSACTION_CHECKPOINT_ANCHOR,
         ROLE(HOSPITAL_ADMINISTRATOR) | ROLE(REGULATOR) | ROLE(DATA_ENGINEER), RS_SCOPE_OWN_ORGANISATION},
};

#define DO(operation) RS_SET(RS_OPERATION_##operation)
#define FOR(purpose) RS_SET(RS_PURPOSE_##purpose)
#define ON(basis) RS_SET(RS_BASIS_##basis)

/* Role × purpose × operation on data: the grounds that suffice. Care is given by the subject's custodian. */
static const struct {
	unsigned roles, purposes, operations, bases;
} uses[] = {
	{CLINICIANS, FOR(TREATMENT), DO(READ) | DO(EXTRACT) | DO(PREDICT) | DO(EXPORT),
         ON(CARE) | ON(CONSENT)},
	{CLINICIANS, FOR(EMERGENCY), DO(READ) | DO(EXTRACT) | DO(PREDICT), ON(BREAK_GLASS) | ON(CONSENT)},
	{CLINICIANS | ROLE(RESEARCHER) | ROLE(DATA_ENGINEER), FOR(RESEARCH), RS_SET_OPERATIONS_ALL,
         ON(CONSENT)},
	{ROLE(DATA_ENGINEER), FOR(OPERATIONS), DO(READ) | DO(EXTRACT), ON(CARE) | ON(CONSENT)},
	{ROLE(HOSPITAL_ADMINISTRATOR), FOR(OPERATIONS), DO(READ) | DO(EXPORT), ON(CARE) | ON(CONSENT)},
	{ROLE(REGULATOR), FOR(AUDIT), DO(READ), ON(OVERSIGHT)},
	{ROLE(PATIENT), FOR(PATIENT_REQUEST), DO(READ) | DO(EXPORT), ON(OWN_DATA)},
};

enum rs_scope rs_contract_scope(enum rs_transaction_type type, enum rs_role role)
{
	for (size_t i = 0; i < RS_COUNT(rules); i++)
		if (rules[i].type == type && rules[i].roles >> role & 1)
			return rules[i].scope;
	return RS_SCOPE_NEVER;
}

unsigned rs_contract_bases(enum rs_role role, enum rs_purpose purpose, enum rs_operation operation)
{
	unsigned bases = 0;
	for (size_t i = 0; i < RS_COUNT(uses); i++)
		if (uses[i].roles >> role & 1 && uses[i].purposes >> purpose & 1 &&
		    uses[i].operations >> operation & 1)
			bases |= uses[i].bases;
	return bases;
}

const char *rs_scope_name(enum rs_scope scope)
{
	static const char *const names[] = {"never",     "anywhere", "own-organisation", "own-subject",
	                                    "custodian", "party",    "oversight",        "self"};
	return names[scope];
}

const char *rs_basis_name(enum rs_basis basis)
{
	static const char *const names[] = {
#define BASIS_NAME(name, number, text) [number] = text,
		RS_BASES(BASIS_NAME)
#undef BASIS_NAME
	};
	return names[basis];
}

static const char *const refusal_names[] = {
#define REFUSAL_NAME(name, number, text) [number] = #name,
	RS_REFUSALS(REFUSAL_NAME)
#undef REFUSAL_NAME
};
static const char *const refusal_texts[] = {
#define REFUSAL_TEXT(name, number, text) [number] = text,
	RS_REFUSALS(REFUSAL_TEXT)
#undef REFUSAL_TEXT
};

const char *rs_refusal_name(enum rs_refusal refusal) { return refusal_names[refusal]; }

const char *rs_refusal_text(enum rs_refusal refusal) { return refusal_texts[refusal]; }
