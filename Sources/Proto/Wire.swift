import Packet

/// The complete wire format and all its limits. All integers are big-endian.
///
/// Header, in front of every datagram, 24 bytes, authenticated:
///
///     at size field
///      0   2  magic 0x424F, "BO"
///      2   1  version, 1
///      3   1  low nibble: kind; high nibble: flags, 0 unless stated otherwise (data, bit 0: lower sequences may
///             still come on this path; control, bit 0: wants an ACK)
///      4   4  session ID, chosen by the receiver; 0 in an init
///      8   8  sequence. data: the inner packet's, the first is 0. control: not consumed, the lowest data
///             sequence that this path may still carry, except retransmissions. init, response and cookie: 0
///     16   2  path ID, chosen by the client, never reused in a session
///     18   6  packet number on this path; some are skipped. init, response and cookie: 0
///
/// Data (kind 4) and control (kind 5): header ‖ sealed payload ‖ tag 16.
/// Nonce = direction's IV (12) XOR (path ID 2 ‖ 0⁴ ‖ packet number 6); the header is the additional data.
///
/// Data payload: shim ‖ IP packet.
///
///      0   2  distance in sequence to the previous packet of the same flow; 0 for none
///      2   1  class
///      3   1  flags (bit 0: partial checksum; bit 1: test packet)
///
/// Control payload: frames, each type 1 ‖ length of the body 2 ‖ body. Unknown types and trailing bytes of a body
/// are skipped, so the format only ever grows.
///
///      type  name            body
///       0    PADDING         anything
///       1    ACK             path ID 2 ‖ highest packet number 6 ‖ map 32 (four words of 8, bit i counted from the
///                            least significant of the first = highest - 1 - i arrived) ‖ packets received 8 ‖
///                            bytes received 8 ‖ receive time of the highest, µs 8 ‖ delay until this ACK, µs 4.
///                            If it covers more than 128 packets, an updated copy of the previous ACK precedes it
///       2    PING            token 8
///       3    PONG            token 8
///       4    PATH_CHALLENGE  token 8 ‖ number of skipped packet numbers of the path 8 (may be omitted)
///       5    PATH_RESPONSE   token 8
///       6    PATH_STATUS     path ID 2 ‖ role 1 ‖ down 1 (bit 0; bit 1: its data for the month is used up) ‖ cap in Mbit/s 2 (0: none) ‖ the path's name, up to 63
///       7    ASSIGN          MTU 2 ‖ counts of addresses, DNS servers, routes 1 + 1 + 1 ‖ addresses (family 1, 4
///                            or 6 ‖ prefix length 1 ‖ 4 or 16) ‖ servers (family 1 ‖ 4 or 16) ‖ routes (as addresses) ‖
///                            count of networks 1 ‖ networks (like addresses); may be omitted
///       8    CLOSE           reason 1
///       9    MODE            mode 1 ‖ paths of redundant 1 (0: all; may be omitted) ‖ the program's version, up to 63
///      10    ASSIGN_REQUEST  nothing
///      11    REPAIR          first sequence, low 24 bits 3 ‖ count 1 (1 to 240) ‖ seed 1 ‖ symbol: the sum over
///                            GF(2⁸), polynomial 0x11D, of coefficient × data payload of each of these sequences, a
///                            shorter payload padded with zeros; at most one in a datagram, a second is
///                            ignored. Coefficient: `EncodingWindow`
///      12    ENROL           public key of the future client 32 ‖ its host's name, up to 63
///      13    ENROLLED        outcome 1 (0 stored, 1 used, 2 expired, 3 revoked, 4 full, 5 unavailable) ‖ the public key
///      14    SECRET          generation 4 ‖ preshared key 32; repeated until a SECRET_KEPT of that generation
///      15    SECRET_KEPT     generation 4
///      16    BENCH           path ID 2 (0xFFFF: all) ‖ duration in ms 2
///      17    BENCH_COUNT     sender's time in µs 8 ‖ bytes received 8
///      18    ENROL_PROOF     32, see `EnrolProof`; follows the ENROL whose key it proves to be the sender's
///      24    SHAPING         revision 1 ‖ rate in kbit/s 4 (0: none) ‖ count 1 (up to 8) ‖ classes: length of the name 1
///                            (up to 15) ‖ name ‖ priority 1 (0 to 3) ‖ share in percent 1 (0: a part of the rest; 100 in
///                            all at most) ‖ ceiling in kbit/s 4 (0: none) ‖ DSCPs 8 (bit i: DSCP i) ‖ count 1 (32 in all at
///                            most) ‖ port ranges: protocol 1 ‖ first port 2 ‖ last port 2; repeated until a SHAPING of the
///                            revision alone acknowledges it
///
/// Handshake: Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b (Noise revision 34), prologue "bondd 1 " ‖ cipher suite 1 (1:
/// chacha20-poly1305, 2: aes-256-gcm; of data and control only, the handshake's own cipher is always ChaChaPoly).
///
///     init (kind 1), 188 bytes
///      24   4  initiator's session ID
///      28  32  e
///      60  48  sealed s
///     108  48  sealed payload: seconds 8 ‖ nanoseconds 4 ‖ responder's ID of the session that this one
///              continues 4 (0: none) ‖ feature bits 4 (0) ‖ initiator's session ID again 4 ‖ generation of the preshared
///              key that the responder gave 4 (0: none) ‖ 0⁴
///     156  16  MAC1    172  16  MAC2
///
///     response (kind 2), 124 bytes, header's session ID: the initiator's
///      24   4  responder's session ID
///      28  32  e
///      60  32  sealed payload: flags 1 (bit 0: continues the previous session) ‖ 0³ ‖ responder's session ID
///              again 4 ‖ 0⁸
///      92  16  MAC1    108  16  MAC2
///
///     cookie (kind 3), 80 bytes, header's session ID: the initiator's
///      24  24  nonce
///      48  32  cookie 16, sealed by XChaCha20-Poly1305, key BLAKE2b-256("cookie--" ‖ responder's static key),
///              additional data: MAC1 of the message it answers
///
///     refusal (kind 3, flags 12, 13 or 14), 40 bytes, header's session ID: the initiator's. "I have your init, but not the
///     generation of preshared keys", "but don't know your key" or "but another suite"
///      24  16  keyed BLAKE2b-128 of hash ‖ header; key: the first 32 bytes of HKDF(chaining key, "bondd preshared key", "bondd
///              unknown key" or "bondd cipher suite"); hash and chaining key: Noise's after the init
///
/// The session IDs are outside the Noise messages, so that cookies need no decryption; their copies inside the
/// sealed payloads bind them. MAC1 = keyed BLAKE2b-128 over everything before it, key BLAKE2b-256("mac1----" ‖
/// receiver's static key). MAC2 = the same over everything before it, key: the cookie; zeros without one.
/// (WireGuard, section 5.4.4.)
///
/// In any version: magic and version are at these offsets, four bytes at 24 are the sender's session ID, MAC1 and
/// MAC2 are the last 32 bytes. So an init of an unknown version can be answered with a header alone: version 1, kind
/// cookie, flags 15.
public enum Wire {
    /// "BO", the first two bytes of every datagram.
    public static let magic: UInt16 = 0x424F
    /// The version of this format.
    public static let version: UInt8 = 1
    /// Bytes of header in front of every datagram.
    public static let headerSize = 24
    /// Bytes of shim in front of an inner packet.
    public static let shimSize = 4
    /// Bytes of tag behind a sealed payload.
    public static let tagSize = 16
    /// Bytes of a sealed datagram without payload, the shortest possible.
    public static let minimumSealed = headerSize + tagSize
    /// Maximum length of a datagram sent or accepted, in bytes.
    public static let maximumDatagram = 2048
    /// Bytes that a data datagram adds to the inner packet.
    public static let overhead = headerSize + shimSize + tagSize
    /// The flags of a header that answers an unknown version.
    public static let versionReplyFlags: UInt8 = 15

    /// The most paths of a session at once.
    @inlinable public static var maximumPaths: Int { 16 }
    /// The highest packet number that a path may use: the field has 48 bits and never wraps.
    public static let maximumPacketNumber: UInt64 = 1 << 48 - 1
    /// The number of packets below the highest one that a replay window covers.
    public static let replayWindow = 8192

    /// Bytes of an init datagram.
    public static let initSize = 188
    /// Bytes of a response datagram; not longer than an init, so that it cannot be used for amplification.
    public static let responseSize = 124
    /// Bytes of a cookie datagram.
    public static let cookieSize = 80
    /// Bytes of a refusal datagram.
    public static let refusalSize = headerSize + macSize

    /// The Noise protocol of the handshake.
    static let noiseName = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b"
    static let keySize = 32
    static let macSize = 16
    static let ivSize = 12
    static let cookieNonceSize = 24
    /// The offsets of the sender's session ID, and of the Noise message, in a handshake message.
    static let senderOffset = headerSize
    static let noiseOffset = senderOffset + 4
    static let initPayloadSize = 32
    static let responsePayloadSize = 16
    static let initNoiseSize = keySize + (keySize + tagSize) + (initPayloadSize + tagSize)
    static let responseNoiseSize = keySize + (responsePayloadSize + tagSize)

    /// An initiator starts a new handshake when its session is this old (WireGuard, section 6.1).
    public static let rekeyAfter = Interval.seconds(120)
    /// A session this old is not used any more (WireGuard, section 6.1).
    public static let rejectAfter = Interval.seconds(180)
    /// An initiator reports that nothing answers, and retransmits less often, after this time (WireGuard, section 6.1, gives up).
    public static let rekeyAttemptTime = Interval.seconds(90)
    /// An initiator gives up an init and creates a new one after this time (WireGuard, section 6.1).
    public static let rekeyTimeout = Interval.seconds(5)
    /// How long a replaced session still receives: datagrams on slow paths were sealed with it.
    public static let keepOld = Interval.seconds(10)
    /// How long an initiator uses a cookie; a responder creates a new cookie secret this often.
    public static let cookieLifetime = Interval.seconds(120)

    /// Maximum number of interface addresses in an ASSIGN.
    public static let maximumAddresses = 8
    /// Maximum number of DNS servers in an ASSIGN.
    public static let maximumDNS = 4
    /// Maximum number of routes in an ASSIGN.
    public static let maximumRoutes = 32
    /// Maximum number of networks behind a client in an ASSIGN: the frame fits the smallest path even if all
    /// its lists are full.
    public static let maximumNetworks = 16
    /// Bytes before the body of a frame.
    public static let frameHeaderSize = 3
    /// Bytes of an ACK frame with its type and length.
    public static let ackFrameSize = frameHeaderSize + ackBodySize
    /// Bytes before the symbol of a REPAIR frame, including type and length. With them the datagram of a repair
    /// symbol is 8 bytes longer than that of the longest packet in it: over IPv6, 1500 for an inner MTU of
    /// 1400.
    public static let repairHeadSize = frameHeaderSize + repairBodySize
    static let repairBodySize = 5
    static let ackBodySize = 68
    static let pathStatusBodySize = 6
    static let benchBodySize = 4
    static let benchCountBodySize = 16
    static let modeBodySize = 2
    static let enrolledBodySize = 1 + keySize
    static let secretBodySize = 4 + keySize
}
