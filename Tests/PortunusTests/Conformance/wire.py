"""The control plane's messages, created at run time from the contract's tables: independently of the client's .proto, so that a
mistake in either is detected."""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "portunus.v1"

# Message | fields: number name type; "opt" is proto3 optional, "rep" repeated, "one" a member of the oneof payload.
MESSAGES = """
EnrollClientRequest | 1 code string
CredentialBundle | 1 version uint32 · 2 client_name string · 3 server_endpoint string · 4 server_cert_sha256 string · 6 token string · 7 client_id string
ClientMessage | 1 hello one Hello · 2 rule_status one RuleStatus · 3 stats_report one StatsReport
ServerMessage | 1 welcome one Welcome · 2 rule_update one RuleUpdate · 3 owner_rate_limit_update one OwnerRateLimitUpdate · 4 traffic_quota_update one TrafficQuotaUpdate
Hello | 1 protocol_version string · 2 client_version string · 3 supported_protocols rep Protocol
Welcome | 1 server_version string · 2 server_time_unix_ms uint64 · 3 udp_flow_idle_secs uint32 · 4 udp_max_flows_per_rule uint32
Rule | 1 rule_id uint64 · 2 listen_port uint32 · 3 target_host string · 4 target_port uint32 · 5 protocol Protocol · 6 listen_port_end uint32 · 7 target_port_end uint32 · 8 prefer_ipv6 opt bool · 9 targets rep Target · 10 health_check_interval_secs uint32 · 11 sni_pattern opt string · 12 rate_limit opt RateLimit · 13 owner_id opt string
Target | 1 host string · 2 port uint32 · 3 priority uint32 · 4 proxy_protocol opt ProxyProtocolVersion
RateLimit | 1 bandwidth_in_bps opt uint64 · 2 bandwidth_out_bps opt uint64 · 3 new_connections_per_sec opt uint32 · 4 concurrent_connections opt uint32 · 5 bandwidth_in_burst opt uint64 · 6 bandwidth_out_burst opt uint64 · 7 new_connections_burst opt uint32
RuleUpdate | 1 request_id string · 2 action RuleAction · 3 rule Rule
RuleStatus | 1 request_id string · 2 rule_id uint64 · 3 outcome ActivationOutcome · 4 reason string
OwnerRateLimitUpdate | 1 client_name string · 2 owner_id string · 3 rate_limit opt RateLimit · 4 action OwnerRateLimitAction · 5 client_id string
TrafficQuotaUpdate | 1 request_id string · 2 user_id string · 3 client_name string · 4 action TrafficQuotaAction · 5 state opt TrafficQuotaState · 6 client_id string
TrafficQuotaState | 1 monthly_bytes int64 · 2 budget_remaining_bytes int64 · 3 period_started_at_unix_sec int64 · 4 period_ends_at_unix_sec int64 · 5 exhausted bool
StatsReport | 1 sent_at_unix_ms uint64 · 2 stats rep RuleStats · 3 sni_listener_stats rep SniListenerStats · 4 owner_rate_limit_stats rep OwnerRateLimitStats
RuleStats | 1 rule_id uint64 · 2 bytes_in uint64 · 3 bytes_out uint64 · 4 active_connections uint32 · 5 per_port rep PerPortStats · 6 dns_failures uint64 · 7 datagrams_in uint64 · 8 datagrams_out uint64 · 9 active_flows uint32 · 10 flows_dropped_overflow uint64 · 11 target_failovers_total uint64 · 12 per_target rep PerTargetStats · 13 sni_route_exact_total uint64 · 14 sni_route_wildcard_total uint64 · 15 sni_route_fallback_total uint64 · 16 rate_limit opt RateLimitStats
PerPortStats | 1 listen_port uint32 · 2 bytes_in uint64 · 3 bytes_out uint64 · 4 active_connections uint32 · 5 datagrams_in uint64 · 6 datagrams_out uint64
PerTargetStats | 1 index uint32 · 2 host string · 3 port uint32 · 4 priority uint32 · 5 health uint32 · 6 consecutive_failures uint32 · 7 last_failure_at_unix_ms uint64 · 8 last_success_at_unix_ms uint64 · 9 bytes_in uint64 · 10 bytes_out uint64 · 11 connections_accepted uint64
SniListenerStats | 1 listen_port uint32 · 2 sni_route_miss_total uint64 · 3 client_hello_parse_failures_total uint64 · 4 client_hello_peek_bucket_counts rep uint64 · 5 client_hello_peek_sum_micros uint64 · 6 client_hello_peek_count uint64
RateLimitStats | 1 reject_total rep RateLimitRejectCount · 2 throttle_micros_in uint64 · 3 throttle_micros_out uint64 · 4 active_connections uint32
RateLimitRejectCount | 1 reason RateLimitRejectReason · 2 total uint64
OwnerRateLimitStats | 1 owner_id string · 2 stats RateLimitStats
"""

# Enum | its values from 0 on.
ENUMS = """
Protocol | PROTOCOL_UNSPECIFIED TCP UDP
ProxyProtocolVersion | PROXY_PROTOCOL_VERSION_UNSPECIFIED V1 V2
RuleAction | RULE_ACTION_UNSPECIFIED PUSH REMOVE
ActivationOutcome | ACTIVATION_OUTCOME_UNSPECIFIED ACTIVATED FAILED REMOVED
OwnerRateLimitAction | OWNER_RATE_LIMIT_ACTION_UNSPECIFIED OWNER_SET OWNER_REMOVE
TrafficQuotaAction | TRAFFIC_QUOTA_ACTION_UNSPECIFIED QUOTA_SET QUOTA_REMOVE
RateLimitRejectReason | RATE_LIMIT_REJECT_REASON_UNSPECIFIED CONN_CONCURRENT CONN_RATE UDP_FLOW_RATE OWNER_CONCURRENT OWNER_CONN_RATE OWNER_UDP_FLOW_RATE
"""

FIELD = descriptor_pb2.FieldDescriptorProto
SCALARS = {
    "string": FIELD.TYPE_STRING, "bool": FIELD.TYPE_BOOL, "uint32": FIELD.TYPE_UINT32, "uint64": FIELD.TYPE_UINT64,
    "int64": FIELD.TYPE_INT64,
}


def rows(table):
    for line in table.strip().splitlines():
        name, rest = line.split(" | ")
        yield name, rest


def file_descriptor():
    file = descriptor_pb2.FileDescriptorProto(name="contract.proto", package=PACKAGE, syntax="proto3")
    enums = set()
    for name, values in rows(ENUMS):
        enums.add(name)
        enum = file.enum_type.add(name=name)
        for number, value in enumerate(values.split()):
            enum.value.add(name=value, number=number)
    for name, fields in rows(MESSAGES):
        message = file.message_type.add(name=name)
        synthetic = []
        for text in fields.split(" · "):
            number, field_name, *kind, type_name = text.split()
            field = message.field.add(
                name=field_name, number=int(number),
                label=FIELD.LABEL_REPEATED if kind == ["rep"] else FIELD.LABEL_OPTIONAL)
            if type_name in SCALARS:
                field.type = SCALARS[type_name]
            else:
                field.type = FIELD.TYPE_ENUM if type_name in enums else FIELD.TYPE_MESSAGE
                field.type_name = f".{PACKAGE}.{type_name}"
            if kind == ["one"]:
                if not message.oneof_decl:
                    message.oneof_decl.add(name="payload")
                field.oneof_index = 0
            elif kind == ["opt"]:
                field.proto3_optional = True
                synthetic.append(field)
        for field in synthetic:
            field.oneof_index = len(message.oneof_decl)
            message.oneof_decl.add(name=f"_{field.name}")
    return file


_pool = descriptor_pool.DescriptorPool()
_pool.AddSerializedFile(file_descriptor().SerializeToString())


def message(name):
    """The class of the message of that name."""
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))
