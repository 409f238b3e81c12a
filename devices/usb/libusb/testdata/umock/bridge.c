/* bridge: a USB bus for a program under umockdev's preload library.
 *
 *   umockdev-wrapper bridge DIR COMMAND ARGS...
 *
 * Runs COMMAND in a mocked /sys and /dev with one USB bus. A unix socket
 * DIR/PORT.sock ("1-1.sock", "1-2.4.sock") is a device plugged in at that port:
 * behind it a simulator speaks the URB phase of USB/IP. When the simulator hangs
 * up, the device is unplugged. usbfs ioctls of COMMAND become URBs.
 *
 * Locking: umockdev calls handle-ioctl on a thread of its own, the rest runs on
 * the main thread; one mutex guards everything. What is the program's (urb, buf) is
 * let go on umockdev's thread only. Of isochronous URBs only IN ones.
 *
 * COMMAND may end at any moment, killed too: its memory is gone then, and whatever
 * is asked of it is NULL.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <glib-unix.h>
#include <linux/usbdevice_fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <umockdev.h>
#include <unistd.h>

#define MAX_IFACES 256
#define SYS_ROOT "/devices/pci0000:00/0000:00:14.0/usb1"

enum { CMD_SUBMIT = 1, CMD_UNLINK = 2, RET_SUBMIT = 3, RET_UNLINK = 4 };

typedef struct Device Device;

/* Urb is an URB of the program, or (client NULL) a request of our own. */
typedef struct {
  guint32 seq;
  UMockdevIoctlClient *client;
  gulong addr;                    /* of the usbdevfs_urb in the program */
  UMockdevIoctlData *urb, *buf;   /* its mirror here */
  gboolean in, control, done;
  gboolean answered;              /* the simulator says nothing more about it */
  gboolean left;                  /* nobody waits for it: urb and buf are let go */
  guint32 unlink;                 /* number of the request that takes it back, or 0 */
  guint8 *own; int own_len;       /* room of our own requests */
  int status, actual;
  int packets;                    /* isochronous */
} Urb;

struct Device {
  char port[32], node[32], syspath[160];
  int sock, devnum;
  guint32 seq;
  guint watch;
  gboolean gone;
  GList *urbs;                    /* oldest first, until answered and left */
  UMockdevIoctlBase *base;
  UMockdevIoctlClient *claims[MAX_IFACES];
};

static GMutex mu;
static GCond answered;
static UMockdevTestbed *testbed;
static GMainLoop *loop;
static GHashTable *plugged;       /* port → Device */
static const char *dir;
static int next_devnum = 10, child_rc = 1;
static int clients;               /* open files of the program */

/* umockdev announces a device at a socket for each monitor of the program, and aborts
 * where one is gone between its being listed and being reached: libusb takes its
 * monitor down with each of its contexts. A monitor that refuses is passed over, so
 * one that is gone does that. This connect is found before the libraries'. */
int connect(int fd, const struct sockaddr *to, socklen_t len) {
  static int (*next)(int, const struct sockaddr *, socklen_t);
  if (!next) next = (int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "connect");
  int rc = next(fd, to, len);
  if (rc < 0 && errno == ENOENT && to->sa_family == AF_UNIX && strstr(((const struct sockaddr_un *)to)->sun_path, "/event"))
    errno = ECONNREFUSED;
  return rc;
}

static gboolean send_all(Device *d, const void *p, size_t n) {
  const char *c = p;
  while (n) {
    ssize_t k = send(d->sock, c, n, MSG_NOSIGNAL);
    if (k <= 0) return FALSE;
    c += k; n -= k;
  }
  return TRUE;
}

static gboolean recv_all(Device *d, void *p, size_t n) {
  char *c = p;
  while (n) {
    ssize_t k = read(d->sock, c, n);
    if (k <= 0) return FALSE;
    c += k; n -= k;
  }
  return TRUE;
}

/* submit sends an URB; mu is held. */
static void submit(Device *d, Urb *u, int ep, int len, guint32 flags, const guint8 *setup, const void *out) {
  guint32 h[12] = {0};
  u->seq = ++d->seq;
  h[0] = htonl(CMD_SUBMIT); h[1] = htonl(u->seq); h[2] = htonl(1 << 16 | d->devnum);
  h[3] = htonl(u->in); h[4] = htonl(ep); h[5] = htonl(flags); h[6] = htonl(len); h[8] = htonl(u->packets);
  if (setup) memcpy(&h[10], setup, 8);
  d->urbs = g_list_append(d->urbs, u);
  if (send_all(d, h, sizeof h) && !u->in && len) send_all(d, out, len);
  guint32 off = 0;
  for (int i = 0; i < u->packets; i++) {
    guint32 n = ((struct usbdevfs_urb *)u->urb->data)->iso_frame_desc[i].length;
    guint32 p[4] = {htonl(off), htonl(n), 0, 0};
    off += n;
    send_all(d, p, sizeof p);
  }
}

static void unlink_urb(Device *d, Urb *u) {
  guint32 h[12] = {0};
  u->unlink = ++d->seq;
  h[0] = htonl(CMD_UNLINK); h[1] = htonl(u->unlink); h[2] = htonl(1 << 16 | d->devnum); h[5] = htonl(u->seq);
  send_all(d, h, sizeof h);
}

/* let_go forgets what is the program's: it reaped the URB, or its file is closed. */
static void let_go(Urb *u) {
  if (u->urb) umockdev_ioctl_data_unref(u->urb);
  if (u->buf) umockdev_ioctl_data_unref(u->buf);
  u->urb = u->buf = NULL;
  u->client = NULL;
  u->left = TRUE;
}

/* tidy frees URBs that nobody speaks of any more. */
static void tidy(Device *d) {
  for (GList *l = d->urbs, *next; l; l = next) {
    Urb *u = l->data;
    next = l->next;
    if (!u->answered || !u->left) continue;
    d->urbs = g_list_delete_link(d->urbs, l);
    g_free(u->own);
    g_free(u);
  }
}

static Urb *by_seq(Device *d, guint32 seq) {
  for (GList *l = d->urbs; l; l = l->next)
    if (((Urb *)l->data)->seq == seq) return l->data;
  return NULL;
}

/* finish writes a result into the program's URB. */
static void finish(Urb *u, int status, int actual) {
  u->done = TRUE; u->status = status; u->actual = actual;
  if (u->urb) {
    struct usbdevfs_urb *x = (void *)u->urb->data;
    x->status = status; x->actual_length = actual;
  }
}

/* packets reads what came of an isochronous URB: the data without the room between
 * packets, then their records; FALSE when that cannot be. */
static gboolean packets(Device *d, Urb *u, int actual) {
  guint8 *data = g_malloc(actual + 1);
  gboolean ok = recv_all(d, data, actual);
  size_t from = 0, to = 0;
  for (int i = 0; ok && i < u->packets; i++) {
    guint32 p[4];
    if (!(ok = recv_all(d, p, sizeof p)) || u->done) continue; /* discarded meanwhile */
    struct usbdevfs_iso_packet_desc *f = &((struct usbdevfs_urb *)u->urb->data)->iso_frame_desc[i];
    guint32 n = ntohl(p[2]);
    if (n > f->length || from + n > (size_t)actual || to + f->length > u->buf->data_len) { ok = FALSE; break; }
    f->actual_length = n; f->status = ntohl(p[3]);
    memcpy(u->buf->data + to, data + from, n);
    from += n; to += f->length;
  }
  g_free(data);
  return ok;
}

/* answer reads one message of the simulator; FALSE when it hung up. */
static gboolean answer(Device *d) {
  guint32 h[12];
  if (!recv_all(d, h, sizeof h)) return FALSE;
  guint32 cmd = ntohl(h[0]), seq = ntohl(h[1]);
  int status = (int)ntohl(h[5]), actual = (int)ntohl(h[6]);
  if (cmd == RET_UNLINK) { /* DISCARDURB finished it already; no answer of its own follows */
    for (GList *l = d->urbs; l; l = l->next)
      if (((Urb *)l->data)->unlink == seq) ((Urb *)l->data)->answered = TRUE;
    tidy(d);
    return TRUE;
  }
  if (cmd != RET_SUBMIT || actual < 0 || actual > 1 << 24) return FALSE;
  Urb *u = by_seq(d, seq);
  if (!u) return FALSE;
  if (u->packets) {
    if (!packets(d, u, actual)) return FALSE;
  } else if (u->in && actual && u->done) { /* discarded meanwhile: drain what came late */
    guint8 *late = g_malloc(actual);
    gboolean ok = recv_all(d, late, actual);
    g_free(late);
    if (!ok) return FALSE;
  } else if (u->in && actual) {
    int from = u->control ? 8 : 0;
    guint8 *to = u->own ? u->own : u->buf ? u->buf->data + from : NULL;
    int room = u->own ? u->own_len : u->buf ? (int)u->buf->data_len - from : 0;
    if (actual > room || !recv_all(d, to, actual)) return FALSE;
  }
  if (!u->done) finish(u, status, actual);
  u->answered = TRUE;
  tidy(d);
  g_cond_broadcast(&answered);
  return TRUE;
}

/* request makes a control transfer of our own and waits; mu is held. Returns the
 * bytes that came, or a negative error number. */
static int request(Device *d, const guint8 *setup, void *data, gboolean reading_here) {
  int len = setup[6] | setup[7] << 8;
  Urb *u = g_new0(Urb, 1);
  u->in = (setup[0] & 0x80) != 0; u->control = TRUE;
  u->own = g_malloc(len + 1); u->own_len = len;
  submit(d, u, 0, len, 0, setup, u->own);
  gint64 until = g_get_monotonic_time() + 5 * G_TIME_SPAN_SECOND;
  while (!u->done && !d->gone) {
    if (reading_here) {
      if (!answer(d)) break;
    } else if (!g_cond_wait_until(&answered, &mu, until)) {
      break;
    }
  }
  if (!u->done) { /* late, or hung up: its answer may still come */
    if (!d->gone) unlink_urb(d, u);
    finish(u, -ENODEV, 0);
  }
  int rc = u->status < 0 ? u->status : u->actual;
  if (rc > 0 && data) memcpy(data, u->own, rc);
  u->left = TRUE;
  tidy(d);
  return rc;
}

/* ---- ioctls ---- */

/* resolve gives the program's memory at a pointer, to be let go; NULL where the
 * pointer is, or the program is gone. */
static UMockdevIoctlData *resolve(UMockdevIoctlData *at, gsize offset, gsize len) {
  return umockdev_ioctl_data_resolve(at, offset, len, NULL);
}

static void reap(Device *d, UMockdevIoctlClient *c, UMockdevIoctlData *arg) {
  for (GList *l = d->urbs; l; l = l->next) {
    Urb *u = l->data;
    if (u->client != c || !u->done || u->left) continue;
    UMockdevIoctlData *out = resolve(arg, 0, sizeof(void *));
    if (!out) break;
    umockdev_ioctl_data_set_ptr(out, 0, u->urb);
    umockdev_ioctl_data_unref(out);
    umockdev_ioctl_client_complete(c, 0, 0);
    let_go(u); /* a discarded one's answer may still come */
    tidy(d);
    return;
  }
  umockdev_ioctl_client_complete(c, -1, d->gone ? ENODEV : EAGAIN);
}

static int do_submit(Device *d, UMockdevIoctlClient *c, UMockdevIoctlData *arg) {
  gulong addr = *(gulong *)arg->data;
  UMockdevIoctlData *m = resolve(arg, 0, sizeof(struct usbdevfs_urb));
  if (!m) return EFAULT;
  struct usbdevfs_urb *x = (void *)m->data;
  int len = x->buffer_length, n = 0;
  if (x->type == USBDEVFS_URB_TYPE_ISO) { /* once more, with the records that trail it */
    n = x->number_of_packets;
    gboolean in = (x->endpoint & 0x80) != 0;
    umockdev_ioctl_data_unref(m);
    if (n < 1 || n > 128 || !in) return EINVAL;
    *(gulong *)arg->data = addr;
    umockdev_ioctl_data_reload(arg, NULL);
    m = resolve(arg, 0, sizeof(struct usbdevfs_urb) + n * sizeof(struct usbdevfs_iso_packet_desc));
    if (!m) return EFAULT;
    x = (void *)m->data;
    len = 0;
    for (int i = 0; i < n; i++) len += x->iso_frame_desc[i].length;
  }
  UMockdevIoctlData *buf = len > 0 ? resolve(m, G_STRUCT_OFFSET(struct usbdevfs_urb, buffer), len) : NULL;
  const guint8 *s = buf ? buf->data : NULL;
  gboolean control = x->type == USBDEVFS_URB_TYPE_CONTROL;
  int e = (len > 0 || n > 0) && !buf ? EFAULT
        : control && (len < 8 || (s[6] | s[7] << 8) > len - 8) ? EINVAL : 0;
  if (e) {
    if (buf) umockdev_ioctl_data_unref(buf);
    umockdev_ioctl_data_unref(m);
    return e;
  }
  Urb *u = g_new0(Urb, 1);
  u->packets = n;
  u->client = c; u->addr = addr; u->urb = m; u->buf = buf;
  if (control) {
    u->control = TRUE; u->in = (s[0] & 0x80) != 0;
    submit(d, u, 0, s[6] | s[7] << 8, 0, s, s + 8);
  } else {
    u->in = (x->endpoint & 0x80) != 0;
    guint32 flags = x->flags & USBDEVFS_URB_ZERO_PACKET ? 0x40 : 0;
    submit(d, u, x->endpoint & 15, len, flags, NULL, s);
  }
  return 0;
}

static int do_discard(Device *d, UMockdevIoctlClient *c, UMockdevIoctlData *arg) {
  gulong addr = *(gulong *)arg->data;
  for (GList *l = d->urbs; l; l = l->next) {
    Urb *u = l->data;
    if (u->client != c || u->addr != addr || u->done) continue;
    unlink_urb(d, u);
    finish(u, -ENOENT, 0);
    return 0;
  }
  return EINVAL;
}

/* word reads an unsigned int argument; FALSE where the program is gone. */
static gboolean word(UMockdevIoctlData *arg, guint *v) {
  UMockdevIoctlData *w = resolve(arg, 0, sizeof(guint));
  if (!w) return FALSE;
  *v = *(guint *)w->data;
  umockdev_ioctl_data_unref(w);
  return TRUE;
}

static int do_ioctl(Device *d, UMockdevIoctlClient *c, UMockdevIoctlData *arg, guint32 rq) {
  UMockdevIoctlData *m;
  guint n;
  switch (rq) {
  case (guint32)USBDEVFS_GET_CAPABILITIES:
    if (!(m = resolve(arg, 0, 4))) return EFAULT;
    *(guint32 *)m->data = USBDEVFS_CAP_ZERO_PACKET | USBDEVFS_CAP_NO_PACKET_SIZE_LIM |
                          USBDEVFS_CAP_BULK_SCATTER_GATHER | USBDEVFS_CAP_REAP_AFTER_DISCONNECT;
    umockdev_ioctl_data_unref(m);
    return 0;
  case (guint32)USBDEVFS_CLAIMINTERFACE:
    if (!word(arg, &n) || n >= MAX_IFACES) return EINVAL;
    if (d->claims[n] && d->claims[n] != c) return EBUSY;
    d->claims[n] = c;
    return 0;
  case (guint32)USBDEVFS_RELEASEINTERFACE:
    if (!word(arg, &n) || n >= MAX_IFACES || d->claims[n] != c) return EINVAL;
    d->claims[n] = NULL;
    return 0;
  case (guint32)USBDEVFS_SETINTERFACE: {
    if (!(m = resolve(arg, 0, sizeof(struct usbdevfs_setinterface)))) return EFAULT;
    struct usbdevfs_setinterface *s = (void *)m->data;
    guint8 setup[8] = {0x01, 11, s->altsetting, 0, s->interface, 0, 0, 0};
    umockdev_ioctl_data_unref(m);
    int rc = request(d, setup, NULL, FALSE);
    return rc < 0 ? -rc : 0;
  }
  case (guint32)USBDEVFS_CLEAR_HALT: {
    if (!word(arg, &n)) return EFAULT;
    guint8 setup[8] = {0x02, 1, 0, 0, n, 0, 0, 0};
    int rc = request(d, setup, NULL, FALSE);
    return rc < 0 ? -rc : 0;
  }
  case (guint32)USBDEVFS_RESET: {
    guint8 setup[8] = {0x23, 3, 4, 0, 0, 0, 0, 0};
    int rc = request(d, setup, NULL, FALSE);
    return rc < 0 ? -rc : 0;
  }
  case (guint32)USBDEVFS_SUBMITURB: return do_submit(d, c, arg);
  case (guint32)USBDEVFS_DISCARDURB: return do_discard(d, c, arg);
  case (guint32)USBDEVFS_IOCTL: case (guint32)USBDEVFS_GETDRIVER: return ENODATA; /* no kernel driver is bound */
  case (guint32)USBDEVFS_SETCONFIGURATION: return 0;
  }
  return ENOTTY;
}

static gboolean on_ioctl(UMockdevIoctlBase *b, UMockdevIoctlClient *c, gpointer ud) {
  Device *d = ud;
  guint32 rq = (guint32)umockdev_ioctl_client_get_request(c);
  UMockdevIoctlData *arg = umockdev_ioctl_client_get_arg(c);
  g_mutex_lock(&mu);
  if (rq == (guint32)USBDEVFS_REAPURB || rq == (guint32)USBDEVFS_REAPURBNDELAY) {
    reap(d, c, arg);
  } else {
    int e = d->gone ? ENODEV : do_ioctl(d, c, arg, rq);
    umockdev_ioctl_client_complete(c, e ? -1 : 0, e);
  }
  g_mutex_unlock(&mu);
  return TRUE;
}

/* release: a closed file releases its interfaces and takes its URBs back. */
static void release(Device *d, const void *c) {
  for (int i = 0; i < MAX_IFACES; i++)
    if (d->claims[i] == c) d->claims[i] = NULL;
  for (GList *l = d->urbs; l; l = l->next) {
    Urb *u = l->data;
    if (u->client != c) continue;
    if (!u->done) { unlink_urb(d, u); finish(u, -ENOENT, 0); }
    let_go(u);
  }
  tidy(d);
}

/* That a file is closed is known by its client's property, or, when the program was
 * killed within a call, by the client's end alone. umockdev 0.17 has a signal for
 * it, and never sends it. */
static void on_connected(UMockdevIoctlClient *c, GParamSpec *spec, gpointer ud) {
  g_mutex_lock(&mu);
  release(ud, c);
  g_mutex_unlock(&mu);
}

static void on_end(gpointer ud, GObject *was) {
  g_mutex_lock(&mu);
  release(ud, was);
  clients--;
  g_cond_broadcast(&answered);
  g_mutex_unlock(&mu);
}

static void on_client(UMockdevIoctlBase *b, UMockdevIoctlClient *c, gpointer ud) {
  g_mutex_lock(&mu);
  clients++;
  g_mutex_unlock(&mu);
  g_signal_connect(c, "notify::connected", G_CALLBACK(on_connected), ud);
  g_object_weak_ref(G_OBJECT(c), on_end, ud);
}

/* ---- plugging ---- */

static gboolean on_readable(gint fd, GIOCondition cond, gpointer ud) {
  Device *d = ud;
  g_mutex_lock(&mu);
  gboolean ok = !d->gone && answer(d);
  if (!ok && !d->gone) {
    d->gone = TRUE;
    for (GList *l = d->urbs; l; l = l->next) {
      Urb *u = l->data;
      if (!u->done) finish(u, -ESHUTDOWN, 0);
      u->answered = TRUE;
    }
    tidy(d);
    g_cond_broadcast(&answered);
  }
  g_mutex_unlock(&mu);
  if (ok) return G_SOURCE_CONTINUE;
  char *sys = g_strconcat("/sys", d->syspath, NULL);
  umockdev_testbed_uevent(testbed, sys, "remove");
  umockdev_testbed_remove_device(testbed, sys);
  g_free(sys);
  g_hash_table_remove(plugged, d->port);
  close(d->sock);
  return G_SOURCE_REMOVE; /* d stays: files of it may still be open */
}

static char *hex(const guint8 *p, int n) {
  char *s = g_malloc0(2 * n + 1);
  for (int i = 0; i < n; i++) sprintf(s + 2 * i, "%02X", p[i]);
  return s;
}

static void add(const char *syspath, const char *node, int devnum, const char *devpath, const char *desc,
                guint16 vid, guint16 pid, guint8 cls) {
  GError *e = NULL;
  char *s = g_strdup_printf(
      "P: %s\nN: %s=%s\nE: BUSNUM=001\nE: DEVNUM=%03d\nE: DEVNAME=/dev/%s\nE: DEVTYPE=usb_device\nE: SUBSYSTEM=usb\n"
      "E: MAJOR=189\nE: MINOR=%d\nE: PRODUCT=%x/%x/100\nA: busnum=1\\n\nA: devnum=%d\\n\nA: speed=480\\n\n"
      "A: bConfigurationValue=1\\n\nA: bNumConfigurations=1\\n\nA: idVendor=%04x\\n\nA: idProduct=%04x\\n\n"
      "A: bDeviceClass=%02x\\n\nA: devpath=%s\\n\nH: descriptors=%s\n\n",
      syspath, node, desc, devnum, node, devnum - 1, vid, pid, devnum, vid, pid, cls, devpath, desc);
  if (!umockdev_testbed_add_from_string(testbed, s, &e)) {
    fprintf(stderr, "bridge: add %s: %s\n", syspath, e->message);
    exit(2);
  }
  g_free(s);
}

/* hub adds the root hub, or a hub at a port of it. */
static void hub(const char *syspath, int devnum, const char *devpath) {
  char *node = g_strdup_printf("bus/usb/001/%03d", devnum);
  add(syspath, node, devnum, devpath,
      "12010002090001406B1D020000010000000109021900010100E0000904000001090000000705810304000C", 0x1d6b, 2, 9);
  g_free(node);
}

static void plug(const char *port) {
  Device *d = g_new0(Device, 1);
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  g_snprintf(a.sun_path, sizeof a.sun_path, "%s/%s.sock", dir, port);
  d->sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(d->sock, (void *)&a, sizeof a)) { close(d->sock); g_free(d); return; }
  g_strlcpy(d->port, port, sizeof d->port);
  d->devnum = next_devnum++;
  g_snprintf(d->node, sizeof d->node, "bus/usb/001/%03d", d->devnum);

  guint8 dd[18] = {0}, cfg[4096];
  guint8 get_dev[8] = {0x80, 6, 0, 1, 0, 0, 18, 0}, get_cfg[8] = {0x80, 6, 0, 2, 0, 0, 0, 16};
  g_mutex_lock(&mu);
  int n = request(d, get_dev, dd, TRUE), k = request(d, get_cfg, cfg, TRUE);
  g_mutex_unlock(&mu);
  if (n != 18 || k < 9) { close(d->sock); g_free(d); return; }

  const char *path = strchr(port, '-') + 1;
  char *dot = g_strdup(path), *p = strchr(dot, '.');
  if (p) { /* behind a hub of the first level */
    *p = 0;
    g_snprintf(d->syspath, sizeof d->syspath, SYS_ROOT "/1-%s/%s", dot, port);
  } else {
    g_snprintf(d->syspath, sizeof d->syspath, SYS_ROOT "/%s", port);
  }
  g_free(dot);

  GError *e = NULL; /* ioctls first: the program opens a node as soon as it sees it */
  char *dev = g_strconcat("/dev/", d->node, NULL);
  d->base = umockdev_ioctl_base_new();
  g_signal_connect(d->base, "handle-ioctl", G_CALLBACK(on_ioctl), d);
  g_signal_connect(d->base, "client-connected", G_CALLBACK(on_client), d);
  if (!umockdev_testbed_attach_ioctl(testbed, dev, d->base, &e)) {
    fprintf(stderr, "bridge: attach %s: %s\n", dev, e->message);
    exit(2);
  }
  g_free(dev);

  char *h1 = hex(dd, 18), *h2 = hex(cfg, k), *desc = g_strconcat(h1, h2, NULL);
  add(d->syspath, d->node, d->devnum, path, desc, dd[8] | dd[9] << 8, dd[10] | dd[11] << 8, dd[4]);
  g_free(h1); g_free(h2); g_free(desc);

  g_hash_table_insert(plugged, d->port, d);
  d->watch = g_unix_fd_add(d->sock, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, d);
  char *sys = g_strconcat("/sys", d->syspath, NULL);
  umockdev_testbed_uevent(testbed, sys, "add");
  g_free(sys);
}

static gboolean look(gpointer ud) {
  GDir *g = g_dir_open(dir, 0, NULL);
  const char *name;
  while (g && (name = g_dir_read_name(g))) {
    if (!g_str_has_suffix(name, ".sock")) continue;
    char *port = g_strndup(name, strlen(name) - 5);
    if (strchr(port, '-') && !g_hash_table_contains(plugged, port)) plug(port);
    g_free(port);
  }
  if (g) g_dir_close(g);
  return G_SOURCE_CONTINUE;
}

static void on_exit_child(GPid pid, gint status, gpointer ud) {
  child_rc = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  g_main_loop_quit(loop);
}

int main(int argc, char **argv) {
  GError *e = NULL;
  GPid pid;
  if (argc < 3) { fprintf(stderr, "usage: bridge DIR COMMAND ARGS...\n"); return 2; }
  dir = argv[1];
  plugged = g_hash_table_new(g_str_hash, g_str_equal);
  testbed = umockdev_testbed_new();
  umockdev_testbed_add_from_string(testbed, "P: /devices/pci0000:00/0000:00:14.0\nE: SUBSYSTEM=pci\n\n", NULL);
  hub(SYS_ROOT, 1, "0");
  hub(SYS_ROOT "/1-2", 2, "2");
  g_timeout_add(10, look, NULL);
  loop = g_main_loop_new(NULL, FALSE);
  if (!g_spawn_async(NULL, argv + 2, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH | G_SPAWN_CHILD_INHERITS_STDIN,
                     NULL, NULL, &pid, &e)) {
    fprintf(stderr, "bridge: %s\n", e->message);
    return 2;
  }
  g_child_watch_add(pid, on_exit_child, NULL);
  g_main_loop_run(loop);
  /* Its files are closed by now or in a moment. The test bed changes the environment
   * when it goes, and umockdev's thread, which reads it, does not end with it. */
  g_mutex_lock(&mu);
  gint64 until = g_get_monotonic_time() + 5 * G_TIME_SPAN_SECOND;
  while (clients > 0 && g_cond_wait_until(&answered, &mu, until)) {}
  g_mutex_unlock(&mu);
  g_object_unref(testbed);
  _exit(child_rc); /* nor does it survive what exit(3) tears down */
}
