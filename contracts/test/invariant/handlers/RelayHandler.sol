// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry} from "../../../src/interfaces/ICredentialRegistry.sol";
import {vm} from "../../Vm.sol";
import {Relay, RelayedCall, RelayedCalls} from "../../support/RelayedCall.sol";
import {Rules} from "../Rules.sol";
import {Witness} from "../Witness.sol";
import {Handler} from "./Handler.sol";
import {KeyCalls} from "./KeyCalls.sol";

/// @title Relayers: they hold signatures back, send them later, more than once, and where they were not meant for
contract RelayHandler is KeyCalls {
    using RelayedCalls for RelayedCall;

    /// @dev A call that a key signed, for a registry, on a chain.
    struct Held {
        bytes call;
        bytes signature;
        address registry;
        uint256 chainId;
    }

    /// @dev What forge starts with, and another chain.
    uint256 private constant _HOME = 31_337;
    uint256 private constant _ABROAD = 10;

    /// @notice A second registry, where the same keys sign, too.
    ICredentialRegistry public immutable other;

    Held[] private _held;

    constructor(ICredentialRegistry registry, ICredentialRegistry other_, Rules rules, Witness witness)
        Handler(registry, rules, witness)
    {
        other = other_;
    }

    function signAnchor(uint256 keySeed, uint256 issuerSeed, uint256 rootSeed, uint256 sizeSeed) external {
        _hold(_anchoring(keySeed, issuerSeed, rootSeed, sizeSeed), keySeed >> 128);
    }

    function signStatus(uint256 kind, uint256 keySeed, uint256 issuerSeed, uint256 place, uint256[2] calldata masks)
        external
    {
        Relay relay = [Relay.REVOKE, Relay.SUSPEND, Relay.REINSTATE][kind % 3];
        _hold(_statusChange(relay, keySeed, issuerSeed, place, masks), keySeed >> 128);
    }

    function signBatchRevocation(uint256 keySeed, uint256 issuerSeed, uint256 rootSeed, uint256 reasonSeed) external {
        _hold(_batchRevocation(keySeed, issuerSeed, rootSeed, reasonSeed), keySeed >> 128);
    }

    /// Any of those that were ever signed, sent or not.
    function send(uint256 actorSeed, uint256 heldSeed) external witnessed {
        if (_held.length == 0) return;
        _relay(_anybody(actorSeed), _held[_recent(heldSeed)], _registry, _HOME);
    }

    function sendToOtherRegistry(uint256 actorSeed, uint256 heldSeed) external witnessed {
        if (_held.length == 0) return;
        _relay(_anybody(actorSeed), _held[_recent(heldSeed)], other, _HOME);
    }

    function sendOnOtherChain(uint256 actorSeed, uint256 heldSeed) external witnessed {
        if (_held.length == 0) return;
        vm.chainId(_ABROAD);
        _relay(_anybody(actorSeed), _held[_recent(heldSeed)], _registry, _ABROAD);
        vm.chainId(_HOME);
    }

    /* PRIVATE */

    /// @dev Mostly with the next nonce, for this registry, on this chain.
    function _hold(RelayedCall memory call, uint256 choice) private {
        if (_rules.keyOf(call.key).issuer == 0) return;
        call.nonce = _rules.nonces(call.key) + (choice % 4 == 0 ? (choice >> 4) % 3 : 0);
        call.deadline = _now() + uint40((choice >> 8) % 5000);
        address registry = (choice >> 24) % 8 == 0 ? address(other) : address(_registry);
        uint256 chainId = (choice >> 32) % 8 == 0 ? _ABROAD : _HOME;
        bytes memory signature = call.sign(_rules.privateKeyOf(call.key), chainId, registry);
        _held.push(Held(abi.encode(call), signature, registry, chainId));
    }

    function _relay(address actor, Held memory held, ICredentialRegistry registry, uint256 chainId) private {
        RelayedCall memory call = abi.decode(held.call, (RelayedCall));
        bool isHome = address(registry) == address(_registry);
        uint256 next = isHome ? _rules.nonces(call.key) : 0;
        bytes memory error = _rules.ofSignature(call, held.registry, held.chainId, address(registry), next);
        // Of the other registry only this is known: that it takes no signature that was not meant for it.
        if (error.length == 0 && (!isHome || chainId != _HOME)) return;
        if (error.length == 0) error = _rules.ofKeyCall(call, false);
        if (_expect(error)) {
            _rules.take(call, true);
            _rules.countRun(call.digest(chainId, address(registry)));
        }
        vm.prank(actor);
        call.send(registry, held.signature);
    }

    /// @dev One of the last few half of the time: of the old ones most can never run again.
    function _recent(uint256 seed) private view returns (uint256) {
        uint256 count = _held.length;
        return seed % 2 == 0 || count < 4 ? (seed >> 1) % count : count - 1 - (seed >> 1) % 4;
    }
}
