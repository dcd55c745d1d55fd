"""Drives the simulator with Microsoft's Python clients, and prints one JSON line for each case."""

import base64
import json
import sys
import time
import urllib.request
from datetime import datetime

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.identity import CertificateCredential, ClientSecretCredential, DeviceCodeCredential, ManagedIdentityCredential
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.msi import ManagedServiceIdentityClient
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.resource import ResourceManagementClient, SubscriptionClient

given = json.load(sys.stdin)
SCOPE = "https://management.azure.com/.default"
group, location, subnet = given["group"], given["location"], given["subnetId"]
# Older releases know the first name of the switch, newer ones the second.
authority = {"authority": given["url"], "instance_discovery": False, "disable_instance_discovery": True}
arm = {"base_url": given["url"], "credential_scopes": [SCOPE]}


def secret_of(principal):
    return ClientSecretCredential(given["tenant"], principal["clientId"], principal["clientSecret"], **authority)


owner = secret_of(given["owner"])
compute = ComputeManagementClient(owner, given["subscription"], polling_interval=0, **arm)
resources = ResourceManagementClient(owner, given["subscription"], polling_interval=0, **arm)
network = NetworkManagementClient(owner, given["subscription"], polling_interval=0, **arm)
authorization = AuthorizationManagementClient(owner, given["subscription"], **arm)


def claims_of(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def vm(name, **more):
    return {
        "location": location,
        "hardware_profile": {"vm_size": "Standard_NC4as_T4_v3"},
        "storage_profile": {
            "image_reference": {"publisher": "microsoft-dsvm", "offer": "ubuntu-hpc", "sku": "2204", "version": "latest"},
            "os_disk": {
                "name": "osdisk-" + name,
                "create_option": "FromImage",
                "delete_option": "Delete",
                "managed_disk": {"storage_account_type": "Premium_LRS"},
            },
        },
        "os_profile": {
            "computer_name": name,
            "admin_username": "corral",
            "linux_configuration": {
                "disable_password_authentication": True,
                "ssh": {"public_keys": [{"path": "/home/corral/.ssh/authorized_keys", "key_data": "ssh-ed25519 AAAA"}]},
            },
        },
        "network_profile": {
            "network_api_version": "2020-11-01",
            "network_interface_configurations": [
                {
                    "name": "nic-" + name,
                    "primary": True,
                    "delete_option": "Delete",
                    "ip_configurations": [{"name": "ip1", "subnet": {"id": subnet}}],
                }
            ],
        },
        **more,
    }


def failure(act):
    try:
        act()
    except (HttpResponseError, ClientAuthenticationError) as error:
        code = getattr(getattr(error, "error", None), "code", None)
        return {"class": type(error).__name__, "code": code, "status": error.status_code, "text": str(error)}
    return {"class": "none"}


def power_of(name):
    statuses = compute.virtual_machines.instance_view(group, name).statuses
    return [status.code for status in statuses if status.code.startswith("PowerState/")]


def portal(path, body):
    request = urllib.request.Request(
        given["portal"] + path, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    urllib.request.urlopen(request).read()


def create():
    made = compute.virtual_machines.begin_create_or_update(group, "py1", vm("py1", tags={"made": "here"})).result()
    return {"state": made.provisioning_state, "size": made.hardware_profile.vm_size, "tags": made.tags}


def resume():
    poller = compute.virtual_machines.begin_create_or_update(group, "py2", vm("py2"))
    token = poller.continuation_token()
    other = ComputeManagementClient(owner, given["subscription"], polling_interval=0, **arm)
    again = other.virtual_machines.begin_create_or_update(group, "py2", vm("py2"), continuation_token=token)
    return {"state": again.result().provisioning_state, "status": again.status()}


def spot():
    return {"priority": "Spot", "eviction_policy": "Deallocate", "billing_profile": {"max_price": -1}}


def evict():
    compute.virtual_machines.begin_create_or_update(group, "spot1", vm("spot1", **spot())).result()
    compute.virtual_machines.simulate_eviction(group, "spot1")
    until = time.monotonic() + 20
    while power_of("spot1") != ["PowerState/deallocated"] and time.monotonic() < until:
        time.sleep(0.02)
    return power_of("spot1")


def pages():
    sizes = [len(list(page)) for page in compute.virtual_machines.list(given["manyGroup"]).by_page()]
    return {"pages": len(sizes), "vms": sum(sizes)}


def delete():
    compute.virtual_machines.begin_delete(group, "py1").result()
    return {
        "vms": [one.name for one in compute.virtual_machines.list(group)],
        "again": compute.virtual_machines.begin_delete(group, "py1").result(),
    }


def groups():
    made = resources.resource_groups.create_or_update("py-group", {"location": location, "tags": {"a": "b"}})
    found = resources.resource_groups.check_existence("py-group")
    filtered = [one.name for one in resources.resources.list(filter="resourceType eq 'Microsoft.Network/virtualNetworks'")]
    resources.resource_groups.begin_delete("py-group").result()
    return {
        "name": made.name,
        "found": found,
        "resources": filtered,
        "after": resources.resource_groups.check_existence("py-group"),
        "provider": resources.providers.get("Microsoft.Compute").registration_state,
    }


def roles():
    scope = "/subscriptions/%s/resourceGroups/%s" % (given["subscription"], group)
    reader = next(iter(authorization.role_definitions.list(scope, filter="roleName eq 'Reader'")))
    name = "0b9a1f6e-7d55-4a0c-9a43-6d1b1d0c7f01"
    body = {
        "role_definition_id": reader.id,
        "principal_id": given["stranger"]["objectId"],
        "principal_type": "ServicePrincipal",
    }
    before = failure(lambda: list(stranger().virtual_machines.list(group)))
    made = authorization.role_assignments.create(scope, name, body)
    seen = len(list(stranger().virtual_machines.list(group)))
    authorization.role_assignments.delete(scope, name)
    return {"role": reader.role_name, "before": before["code"], "scope": made.scope == scope, "seen": seen > 0}


def stranger():
    return ComputeManagementClient(secret_of(given["stranger"]), given["subscription"], **arm)


def networks():
    names = [one.name for one in network.virtual_networks.list(group)]
    address = network.subnets.get(group, "vnet", "machines").address_prefix
    made = network.virtual_networks.begin_create_or_update(
        group, "pynet", {"location": location, "address_space": {"address_prefixes": ["10.9.0.0/16"]}}
    ).result()
    network.virtual_networks.begin_delete(group, "pynet").result()
    nics = [nic.name for nic in network.network_interfaces.list(group)]
    return {"names": names, "subnet": address, "made": made.provisioning_state, "nics": len(nics) > 0}


def device_code():
    def prompt(uri, user_code, expires_on):
        assert isinstance(expires_on, datetime) and uri.startswith(given["url"])
        portal("/entra/devices/" + user_code, {"user": given["user"], "decision": "approve"})

    credential = DeviceCodeCredential(tenant_id=given["tenant"], prompt_callback=prompt, **authority)
    claims = claims_of(credential.get_token(SCOPE).token)
    return {name: claims.get(name) for name in ("upn", "scp", "idtyp")}


def certificate():
    credential = CertificateCredential(
        given["tenant"], given["owner"]["clientId"], certificate_data=given["certificate"].encode(), **authority
    )
    return claims_of(credential.get_token(SCOPE).token)["appidacr"]


def secret_token():
    claims = claims_of(owner.get_token(SCOPE).token)
    return {name: claims.get(name) for name in ("appid", "idtyp", "xms_cc", "ver")}


def identities():
    client = ManagedServiceIdentityClient(owner, given["subscription"], **arm)
    made = client.user_assigned_identities.create_or_update(group, "pyid", {"location": location})
    names = [one.name for one in client.user_assigned_identities.list_by_resource_group(group)]
    client.user_assigned_identities.delete(group, "pyid")
    return {"names": names, "hasIds": bool(made.principal_id and made.client_id)}


def managed_identity():
    return claims_of(ManagedIdentityCredential(client_id=given["appClientId"]).get_token(SCOPE).token)["xms_mirid"]


def skus():
    found = [sku.name for sku in compute.resource_skus.list(filter="location eq '%s'" % location)]
    usage = {one.name.value: one.limit for one in compute.usage.list(location)}
    return {"t4": "Standard_NC4as_T4_v3" in found, "cores": "cores" in usage}


def then(act, look):
    act().result()
    return look()


wrong = {**given["owner"], "clientSecret": "wrong"}
sold_out = {"hardware_profile": {"vm_size": given["soldOut"]}}
machines = compute.virtual_machines
CASES = {
    "secret": secret_token,
    "wrongSecret": lambda: failure(lambda: secret_of(wrong).get_token(SCOPE)),
    "certificate": certificate,
    "deviceCode": device_code,
    "managedIdentity": managed_identity,
    "create": create,
    "resume": resume,
    "view": lambda: [status.code for status in machines.instance_view(group, "py1").statuses],
    "list": lambda: sorted(one.name for one in machines.list(group)),
    "deallocate": lambda: then(lambda: machines.begin_deallocate(group, "py1"), lambda: power_of("py1")),
    "start": lambda: then(lambda: machines.begin_start(group, "py1"), lambda: power_of("py1")),
    "powerOff": lambda: then(lambda: machines.begin_power_off(group, "py1"), lambda: power_of("py1")),
    "evict": evict,
    "notFound": lambda: failure(lambda: machines.get(group, "nobody")),
    "soldOut": lambda: failure(lambda: machines.begin_create_or_update(group, "sold", vm("sold", **sold_out))),
    "allocation": lambda: failure(lambda: machines.begin_create_or_update(group, "failing", vm("failing")).result()),
    "pages": pages,
    "delete": delete,
    "groups": groups,
    "networks": networks,
    "roles": roles,
    "identities": identities,
    "skus": skus,
    "subscriptions": lambda: [one.subscription_id for one in SubscriptionClient(owner, **arm).subscriptions.list()],
}
assert issubclass(ResourceExistsError, HttpResponseError) and issubclass(ResourceNotFoundError, HttpResponseError)

for name, act in CASES.items():
    try:
        outcome = {"case": name, "value": act()}
    except Exception as error:  # The case is told as failed, and the next one runs.
        outcome = {"case": name, "error": "%s: %s" % (type(error).__name__, error)}
    print(json.dumps(outcome), flush=True)
