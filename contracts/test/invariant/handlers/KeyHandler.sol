// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {MAX_REASON, SCOPE_ANCHOR, SCOPE_STATUS} from "../../../src/interfaces/ICredentialRegistry.sol";
import {vm} from "../../Vm.sol";
import {Relay, RelayedCall} from "../../support/RelayedCall.sol";
import {Handler} from "./Handler.sol";

/// @title Keys, and who has stolen them: what they send themselves
/// @dev A thief does what a key's owner does; only the ghosts know which it was.
abstract contract KeyHandler is Handler {
    function anchor(uint256 keySeed, uint256 issuerSeed, uint256 rootSeed, uint32 size) external witnessed {
        _send(_anchoring(keySeed, issuerSeed, rootSeed, size), false);
    }

    function anchorBareRoot(uint256 keySeed, uint256 rootSeed) external witnessed {
        RelayedCall memory call = _anchoring(keySeed, 1, rootSeed, 0);
        call.issuer = _rules.keyOf(call.key).issuer;
        call.size = 0;
        _send(call, true);
    }

    function revoke(uint256 keySeed, uint256 issuerSeed, uint256 place, uint256[2] calldata masks) external witnessed {
        _send(_statusChange(Relay.REVOKE, keySeed, issuerSeed, place, masks), false);
    }

    function suspend(uint256 keySeed, uint256 issuerSeed, uint256 place, uint256[2] calldata masks) external witnessed {
        _send(_statusChange(Relay.SUSPEND, keySeed, issuerSeed, place, masks), false);
    }

    function reinstate(uint256 keySeed, uint256 issuerSeed, uint256 place, uint256[2] calldata masks)
        external
        witnessed
    {
        _send(_statusChange(Relay.REINSTATE, keySeed, issuerSeed, place, masks), false);
    }

    function revokeBatch(uint256 keySeed, uint256 issuerSeed, uint256 rootSeed, uint8 reason) external witnessed {
        _send(_batchRevocation(keySeed, issuerSeed, rootSeed, reason), false);
    }

    function steal(uint256 keySeed) external {
        address key = _anyKey(keySeed);
        if (_rules.stolenAt(key) == 0) _rules.steal(key);
    }

    /* WHAT A KEY MAY WANT */

    function _anchoring(uint256 keySeed, uint256 issuerSeed, uint256 rootSeed, uint32 size)
        internal
        view
        returns (RelayedCall memory call)
    {
        call = _callOf(Relay.ANCHOR, SCOPE_ANCHOR, keySeed, issuerSeed);
        call.root = _rules.rootAt(rootSeed % _rules.ROOTS());
        // Mostly true, and now and then 0.
        call.size = size % 8 == 0 ? size >> 3 : _rules.SIZE();
    }

    function _batchRevocation(uint256 keySeed, uint256 issuerSeed, uint256 rootSeed, uint8 reason)
        internal
        view
        returns (RelayedCall memory call)
    {
        call = _callOf(Relay.REVOKE_BATCH, SCOPE_STATUS, keySeed, issuerSeed);
        call.root = _rules.rootAt(rootSeed % _rules.ROOTS());
        call.reason = _reason(reason);
    }

    /// @dev One or two of the four words, and what to change there: often few bits, so that they are met again.
    function _statusChange(Relay relay, uint256 keySeed, uint256 issuerSeed, uint256 place, uint256[2] calldata masks)
        internal
        view
        returns (RelayedCall memory call)
    {
        call = _callOf(relay, SCOPE_STATUS, keySeed, issuerSeed);
        call.list = uint32(place % _rules.LISTS());
        call.reason = _reason(uint8(place >> 32));
        uint256 first = (place >> 8) % _rules.WORDS();
        uint256 count = first + 1 < _rules.WORDS() && (place >> 16) % 2 == 0 ? 2 : 1;
        call.words = new uint16[](count);
        call.masks = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            call.words[i] = _rules.wordAt(first + i);
            call.masks[i] = (place >> 24) % 2 == 0 ? masks[i] & 0xf : masks[i];
        }
    }

    /* SENDING */

    function _send(RelayedCall memory call, bool isBare) internal {
        if (_expect(_rules.ofKeyCall(call, isBare))) _rules.take(call, false);
        vm.prank(call.key);
        if (isBare) {
            // Whether it succeeds is expected above: a call that must fail, and does, says here that it succeeded.
            (bool sent,) = address(_registry).call(abi.encode(call.root));
            vm.assertTrue(sent, "a bare root was refused");
        } else if (call.relay == Relay.ANCHOR) {
            _registry.anchor(call.issuer, call.root, call.size);
        } else if (call.relay == Relay.REVOKE_BATCH) {
            _registry.revokeBatch(call.issuer, call.root, call.reason);
        } else if (call.relay == Relay.REVOKE) {
            _registry.revoke(call.issuer, call.list, call.words, call.masks, call.reason);
        } else if (call.relay == Relay.SUSPEND) {
            _registry.suspend(call.issuer, call.list, call.words, call.masks, call.reason);
        } else {
            _registry.reinstate(call.issuer, call.list, call.words, call.masks, call.reason);
        }
    }

    /* PRIVATE */

    /// @dev Mostly of a key that lives, and for its own issuer.
    function _callOf(Relay relay, uint8 scope, uint256 keySeed, uint256 issuerSeed)
        private
        view
        returns (RelayedCall memory call)
    {
        call.relay = relay;
        call.key = keySeed % 8 == 0 ? _anybody(keySeed >> 3) : _rules.pickKey(keySeed >> 3, scope);
        uint32 own = _rules.keyOf(call.key).issuer;
        call.issuer = own == 0 || issuerSeed % 8 == 0 ? _issuer(issuerSeed >> 3) : own;
    }

    function _reason(uint8 seed) private pure returns (uint8) {
        return seed % 16 == 0 ? seed : seed % MAX_REASON + 1;
    }
}
