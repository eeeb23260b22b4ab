/* Who may associate, and for what: a text file, one line for each AE title,
 *
 *   # AE title   address          services                transfer syntaxes, how it is reached, why it asks
 *   MR1          10.0.0.5         echo,store
 *   PACS         10.0.0.9:104     echo,store,commit
 *   VIEWER       10.0.0.7:11112   echo,find,get,move      tls purpose=treatment
 *   *            *                echo,store              1.2.840.10008.1.2.1,1.2.840.10008.1.2
 *
 * The first line that fits decides. Addresses are numbers, as names are what others say they are; "*" is any. Services: echo,
 * store, private (SOP classes that are not DICOM's), commit (storage commitment; reported to the address when it has a port, else
 * within the association that asked), find (queries), get, move (retrievals; queries and retrievals as far as the serving member
 * may read), or all. Transfer syntaxes restrict what is taken from the peer, and what is moved to it. Instances are moved to
 * titles whose address has a port; with "tls" over TLS, which reports are, too. What is found and retrieved is asked for with the
 * purpose, or else with what the serving member's role is there for. */
#ifndef RS_GATEWAY_PEERS_H
#define RS_GATEWAY_PEERS_H

#include "contract/contract.h"
#include "dicomnet/dicomnet.h"

#define PEERS_MAX 1024
#define PEER_HOST_SIZE 64
#define PEER_ADDRESS_SIZE (PEER_HOST_SIZE + 16)

struct peer {
	char title[RS_TITLE_SIZE]; /* "" for any */
	char host[PEER_HOST_SIZE]; /* as inet_ntop() writes it; "" for any */
	unsigned port;             /* 0 when none is said */
	bool is_tls;
	enum rs_purpose purpose;    /* 0 when none is said */
	struct rs_acceptance takes; /* its transfer_syntaxes are owned */
};

struct peers {
	struct peer *items;
	size_t count;
};

void peers_finish(struct peers *peers); /* accepts zeroed memory */
/* path NULL: anyone may echo and store. errors  RS_MALFORMED naming the line */
enum rs_code peers_read(const struct rs_world *world, const char *path, struct peers *out,
                        struct rs_error *err);
enum rs_code peers_parse(struct rs_str text, struct peers *out, struct rs_error *err);
const struct peer *peers_find(const struct peers *peers, const char *title, const char *host); /* or NULL */
/* Whom instances are sent to, by its title alone; NULL when no line of that title has an address and a port. */
const struct peer *peers_destination(const struct peers *peers, const char *title);
void peer_address(const struct peer *peer, char out[static PEER_ADDRESS_SIZE]); /* "10.0.0.9:104" */

#endif
