// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";

import {ICredentialRegistry} from "./interfaces/ICredentialRegistry.sol";
import {InclusionProof} from "./libraries/InclusionProof.sol";
import {Batches} from "./parts/Batches.sol";
import {StatusLists} from "./parts/StatusLists.sol";

/// @title The credential registry
/// @notice The only deployable; what it does and who may do it is in `ICredentialRegistry`. Not upgradeable, holds no
/// ether, calls nothing but ERC-1271 signers. Has no immutables: every deployment has the same runtime code.
///
/// Storage, for state proofs (a mapping's entry is at `keccak256(abi.encode(key, slot))`, nested ones likewise from there;
/// snapshots/storage-layout.json is the compiler's word on it, and is checked):
///
/// | Slot | Holds                                                                | Part          |
/// |------|----------------------------------------------------------------------|---------------|
/// | 0    | registry-wide head                                                   | `Heads`       |
/// | 1-3  | roles, default admin and its delay                                   | OpenZeppelin  |
/// | 4    | issuers: uint32 => `Issuer`, 3 slots                                 | `Issuers`     |
/// | 5    | issuer of a DID: bytes32 didHash => uint32                           | `Issuers`     |
/// | 6    | issuer count: uint32                                                 | `Issuers`     |
/// | 7    | what comes next: uint32 issuer => `Next`, 1 slot                     | `Issuers`     |
/// | 8    | keys: address => `Key`, 1 slot                                       | `Keys`        |
/// | 9    | nonces of relayed calls: address key => uint256                      | `Relays`      |
/// | 10   | batches: uint32 issuer => bytes32 root => `Batch`, 1 slot            | `Batches`     |
/// | 11   | revoked: uint32 issuer => uint16 epoch => uint32 list => uint16 word | `StatusLists` |
/// | 12   | suspended: likewise                                                  | `StatusLists` |
contract CredentialRegistry is Batches, StatusLists {
    /* CONSTRUCTOR */

    /// @dev Emits `RoleChanged` twice. Reverts with `AccessControlInvalidDefaultAdmin`, `InvalidAccreditor` of address zero.
    /// @param admin Grants and revokes roles; handed over in two steps, after a delay.
    /// @param accreditor First holder of `ACCREDITOR_ROLE`; may be the admin.
    /// @param adminDelay Seconds between the offer of the admin role and its acceptance.
    constructor(address admin, address accreditor, uint48 adminDelay)
        AccessControlDefaultAdminRules(adminDelay, admin)
    {
        if (accreditor == address(0)) {
            revert InvalidAccreditor(accreditor);
        }
        _grantRole(ACCREDITOR_ROLE, accreditor);
    }

    /* EXTERNAL */

    /// @inheritdoc ICredentialRegistry
    function verify(
        uint32 issuer,
        bytes32 root,
        bytes32 salt,
        uint32 list,
        uint32 statusIndex,
        bytes32 credentialHash,
        uint32 leafIndex,
        bytes32[] calldata path
    ) external view override returns (uint40 anchoredAt) {
        _requireIssuer(issuer);
        Batch memory batch = batchOf(issuer, root);
        anchoredAt = batch.anchoredAt;
        if (anchoredAt == 0) revert NotAnchored(issuer, root);
        bytes32 leaf = InclusionProof.leafOf(salt, list, statusIndex, credentialHash);
        if (!InclusionProof.leadsToRoot(root, leaf, leafIndex, batch.size, path)) revert NotIncluded(root, leaf);
        if (_isVoid(batch)) revert KeyCutOff(batch.key, _cutOffOf(batch.key));
        uint40 withdrawnAt = _withdrawnAtOf(issuer);
        if (withdrawnAt != 0 && withdrawnAt <= anchoredAt) revert IssuerWithdrawn(issuer, withdrawnAt);
        if (_isRevokedIn(batch, _statusEpochOf(issuer))) revert BatchIsRevoked(issuer, root, batch.revokedReason);
        (bool revoked, bool suspended) = statusOf(issuer, list, statusIndex);
        if (revoked) revert CredentialRevoked(issuer, list, statusIndex);
        if (suspended) revert CredentialSuspended(issuer, list, statusIndex);
    }

    /// @inheritdoc ICredentialRegistry
    function isIncluded(bytes32 root, bytes32 leaf, uint32 leafIndex, uint32 size, bytes32[] calldata path)
        external
        pure
        override
        returns (bool)
    {
        return InclusionProof.leadsToRoot(root, leaf, leafIndex, size, path);
    }
}
