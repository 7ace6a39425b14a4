// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";

import {ICredentialRegistry} from "../interfaces/ICredentialRegistry.sol";
import {Heads} from "./Heads.sol";

/// @title Roles, every change of which extends the registry-wide head
/// @dev OpenZeppelin's rules, unchanged: who has a role is only ever changed by these two functions.
abstract contract Roles is Heads, AccessControlDefaultAdminRules, ICredentialRegistry {
    /* CONSTANTS */

    /// @inheritdoc ICredentialRegistry
    bytes32 public constant override ACCREDITOR_ROLE = keccak256("credanchor/role/accreditor");

    /* INTERNAL */

    /// @inheritdoc AccessControlDefaultAdminRules
    function _grantRole(bytes32 role, address account) internal virtual override returns (bool changed) {
        changed = super._grantRole(role, account);
        if (changed) _recordRole(role, account, true);
    }

    /// @inheritdoc AccessControlDefaultAdminRules
    function _revokeRole(bytes32 role, address account) internal virtual override returns (bool changed) {
        changed = super._revokeRole(role, account);
        if (changed) _recordRole(role, account, false);
    }

    /// @dev Time of the block. Forty bits of seconds last until the year 36812.
    function _timestamp() internal view returns (uint40) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint40(block.timestamp);
    }

    /* PRIVATE */

    function _recordRole(bytes32 role, address account, bool granted) private {
        bytes32 eventHash =
            keccak256(abi.encode(RoleChanged.selector, role, account, granted, msg.sender, _timestamp()));
        emit RoleChanged(role, account, granted, msg.sender, _timestamp(), _extendRegistryHead(eventHash));
    }
}
