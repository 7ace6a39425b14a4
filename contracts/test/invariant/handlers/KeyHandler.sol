// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {vm} from "../../Vm.sol";
import {Relay, RelayedCall} from "../../support/RelayedCall.sol";
import {KeyCalls} from "./KeyCalls.sol";

/// @title Keys, and who has stolen them: what they send themselves
/// @dev A thief does what a key's owner does; only the ghosts know which it was.
abstract contract KeyHandler is KeyCalls {
    function anchor(uint256 keySeed, uint256 issuerSeed, uint256 rootSeed, uint256 sizeSeed) external witnessed {
        _send(_anchoring(keySeed, issuerSeed, rootSeed, sizeSeed), false);
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

    function revokeBatch(uint256 keySeed, uint256 issuerSeed, uint256 rootSeed, uint256 reasonSeed) external witnessed {
        _send(_batchRevocation(keySeed, issuerSeed, rootSeed, reasonSeed), false);
    }

    function steal(uint256 keySeed) external {
        address key = _anyKey(keySeed);
        if (_rules.stolenAt(key) == 0) _rules.steal(key);
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
}
