// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry, MAX_REASON, SCOPE_STATUS} from "../../src/interfaces/ICredentialRegistry.sol";
import {ReplayedState} from "./ReplayedState.sol";

/// @title Who had the right to what, by the state replayed so far
/// @dev The table of `ICredentialRegistry`, written out once more.
abstract contract ReplayedRights is ReplayedState {
    bytes32 internal constant _ADMIN_ROLE = 0;
    bytes32 internal constant _ACCREDITOR_ROLE = keccak256("credanchor/role/accreditor");

    // Hand-over of the admin role: offered, taken from one, given to the other.
    bool internal _adminIsOffered;
    address internal _adminOfferedTo;
    address internal _adminTaker;

    address private _deployer;
    uint256 private _roleChangeCount;

    /* ROLES */

    function _requireRoleRight(bytes32 role, address account, bool granted, address actor) internal {
        uint256 place = _roleChangeCount++;
        _require(_adminTaker == address(0) || (role == _ADMIN_ROLE && granted), "no admin was put in place");
        if (place < 2) {
            // Whoever deploys gives both roles, and never has a word again.
            _same(role, place == 0 ? _ADMIN_ROLE : _ACCREDITOR_ROLE, "roles given while deploying");
            _require(granted && (place == 0 || actor == _deployer), "roles given while deploying");
            _deployer = actor;
        } else if (role != _ADMIN_ROLE) {
            bool renounced = !granted && actor == account;
            _require(renounced || _isMember[_ADMIN_ROLE][actor], "a role changed by no admin");
        } else if (granted) {
            _require(actor == account && actor == _adminTaker, "the admin role taken without an offer");
            _adminTaker = address(0);
        } else {
            _require(_adminIsOffered, "the admin role lost, and not offered to anybody or nobody");
            _adminIsOffered = false;
            _same(actor, _adminOfferedTo == address(0) ? account : _adminOfferedTo, "the admin role taken by another");
            _adminTaker = _adminOfferedTo;
        }
    }

    function _requireAccreditor(address actor) internal view {
        _require(_isMember[_ACCREDITOR_ROLE][actor], "done by no accreditor");
    }

    /* ISSUERS */

    function _requireController(uint32 id, address actor) internal view {
        _require(_issuers[id - 1].controller == actor, "done by another than the controller");
    }

    function _requireAccredited(uint32 id, uint40 at) internal view {
        uint40 withdrawnAt = _issuers[id - 1].withdrawnAt;
        _require(withdrawnAt == 0 || at < withdrawnAt, "done after the accreditation's end");
    }

    /// @dev Current or next: no other can count any more, or be staged.
    function _requireOpenEpoch(uint32 id, uint16 epoch) internal view {
        bool open = epoch == _issuers[id - 1].statusEpoch || epoch == _nextEpoch[id];
        _require(open, "neither the current status epoch nor the next");
    }

    /* KEYS */

    function _requireActing(address key, uint32 id, uint8 scope, uint40 at) internal view {
        _same(_keys[key].issuer, id, "done by a key of another issuer, or none");
        _same(_keys[key].scope, scope, "done by a key of the other scope");
        _ordered(_keys[key].validFrom, at, "done by a key before it was valid");
        uint40 cutOff = _cutOffOf(key);
        _require(cutOff == 0 || at < cutOff, "done by a key after its cut-off");
    }

    function _requireStatusRight(address key, uint32 id, uint16 epoch, uint8 reason, uint40 at) internal view {
        _requireActing(key, id, SCOPE_STATUS, at);
        _same(epoch, _keys[key].statusEpoch, "another status epoch than the key's");
        _requireOpenEpoch(id, epoch);
        _requireReason(reason);
    }

    /// @dev The earlier of a key's end and the time since which it is compromised; 0 if neither.
    function _cutOffOf(address key) internal view returns (uint40) {
        (uint40 end, uint40 since) = (_keys[key].validUntil, _keys[key].compromisedAt);
        return end == 0 || (since != 0 && since < end) ? since : end;
    }

    /* VALUES */

    function _requireReason(uint8 reason) internal pure {
        _require(reason != 0 && reason <= MAX_REASON, "reason");
    }

    function _isRevokedIn(ICredentialRegistry.Batch memory batch, uint16 epoch) internal pure returns (bool) {
        return batch.revokedReason != 0 && batch.revokedEpoch >= epoch;
    }
}
